//! Placeholder.
#![allow(dead_code)]
mod app;
mod domain;
mod peers;
mod store;

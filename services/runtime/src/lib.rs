#![doc = include_str!("../README.md")]

mod access;
mod audit;
pub mod auth;
pub mod client;
mod clock_service;
mod door;
mod failpoint;
pub mod feed;
pub mod metrics;
pub mod policy;
mod run;
pub mod server;
pub mod settings;
mod status;
pub mod telemetry;
#[cfg(test)]
mod testing;
mod tls;
pub mod token;
pub mod wire;

pub use auth::Authenticator;
pub use clock_service::{ClockServer, clock_service};
pub use door::ours as rpcs;
pub use failpoint::failpoint;
pub use metrics::Metrics;
pub use run::{Deps, page_tokens, run, start};
pub use server::{Ready, Running, Server};
pub use settings::{NoSettings, Settings};
pub use status::{DOMAIN, REPLAYED, caller, code, explain, peer_error, reply, right, status};
pub use token::TokenIssuer;

/// The allocator of everything that runs here: calls allocate little things by the dozen, on one thread, and free them
/// on another, at which it is better than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! A Postgres server for development and tests.

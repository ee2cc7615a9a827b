//! The proxy with real HTTP on loopback. Each file is one thing it promises.

mod admin;
mod client;
mod failing;
mod harness;
mod health;
mod http2;
mod instance;
mod lifecycle;
mod limits;
mod routing;
mod streaming;
mod switching;
mod tls;

//! What lies outside: names that have addresses, and in a rehearsal somebody
//! who answers in place of the network.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;

/// Says which addresses a name has.
#[async_trait]
pub trait Names: Send + Sync + std::fmt::Debug {
    async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The names that the machine knows.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, port)).await?.collect())
    }
}

/// Stands for the world outside, after every check and with the secrets
/// filled in.
#[async_trait]
pub trait Outside: Send + Sync + std::fmt::Debug {
    /// None when nobody answers there.
    async fn answer(&self, request: OutsideRequest) -> Option<OutsideAnswer>;
}

/// What would leave. It holds secrets.
#[derive(Clone)]
pub struct OutsideRequest {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl std::fmt::Debug for OutsideRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutsideRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub struct OutsideAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

//! Who says which addresses a name has: us, and sometimes we lie.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use shipway_plugin_host::Names;

/// Given out to nobody: whoever connects to it reaches nobody.
const NOBODY: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2d00, 0, 0, 0, 0, 0, 0, 1));

#[derive(Debug, Default)]
pub struct FakeNames {
    /// How often the name that changes was asked for.
    asked: AtomicUsize,
}

impl FakeNames {
    /// The name that changes begins anew: public first, loopback after.
    pub fn begin(&self) {
        self.asked.store(0, Ordering::SeqCst);
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Names for FakeNames {
    async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let all: &[&str] = match name {
            "localhost" | "hooks.example.test" | "inside.example.test" => &["127.0.0.1"],
            "other.example.test" => &["127.0.0.1"],
            "six.example.test" => &["::1", "::ffff:127.0.0.1"],
            "private.example.test" => &["10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1"],
            "metadata.example.test" => &["169.254.169.254", "fd00:ec2::254"],
            "rebind.example.test" => {
                return Ok(vec![match self.asked.fetch_add(1, Ordering::SeqCst) {
                    0 => SocketAddr::new(NOBODY, port),
                    _ => SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port),
                }]);
            }
            // One that may be reached, and one that may not.
            "mixed.example.test" => &["2d00::1", "127.0.0.1"],
            "never.example.test" => std::future::pending().await,
            "many.example.test" => return Ok(vec![SocketAddr::new(NOBODY, port); 10_000]),
            _ => return Err(io::Error::other("nobody knows this name")),
        };
        let all = all.iter().map(|text| text.parse().expect("an address"));
        Ok(all.map(|ip| SocketAddr::new(ip, port)).collect())
    }
}

//! An OpenID provider on loopback, as a package of npm's brings it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::parts;
use crate::ship::free_address;

pub const CLIENT: &str = "shipway";
pub const SECRET: &str = "s3cr3t-of-the-client";

/// Where one will be.
#[derive(Debug, Clone, Copy)]
pub struct Place(SocketAddr);

impl Place {
    pub fn free() -> Self {
        Self(free_address())
    }

    pub fn issuer(self) -> String {
        format!("http://{}", self.0)
    }
}

#[derive(Debug)]
pub struct Provider(Child);

impl Provider {
    /// Starts one that sends people back to this address. None when the
    /// machine lacks a part.
    pub fn start(place: Place, redirect: &str) -> Option<Self> {
        let node = parts::program("node")?;
        parts::npm_package("oidc-provider")?;
        let mut child = Command::new(node)
            .arg(parts::root().join("tests/oidc/provider.mjs"))
            .arg(parts::npm_packages())
            .args([&place.issuer(), redirect, CLIENT, SECRET])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let output = child.stdout.take().expect("its output");
        let provider = Self(child);
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line == "ready"),
            "the provider did not start"
        );
        std::thread::spawn(move || lines.for_each(drop));
        Some(provider)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

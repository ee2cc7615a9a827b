//! The nginx that the scripts switch.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result};

use crate::parts::NGINX;
use crate::run;
use crate::stage::free_addresses;

/// Ended when it is dropped.
#[derive(Debug)]
pub struct Nginx {
    pub folder: PathBuf,
    child: Child,
}

impl Nginx {
    pub fn start(folder: &Path) -> Result<Self> {
        let program = NGINX.find()?;
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let [listen, nobody] = free_addresses::<2>()?;
        fs::write(folder.join("nginx.conf"), configuration(folder, listen))?;
        let upstream = format!("upstream app {{ server {nobody}; }}\n");
        fs::write(folder.join("upstream.conf"), upstream)?;
        let mut command = Command::new(program);
        command
            .args(["-g", "daemon off;", "-c"])
            .arg(folder.join("nginx.conf"));
        let child = run::spawn_logged(&mut command, &folder.join("nginx.log"))?;
        Ok(Self {
            folder: folder.to_owned(),
            child,
        })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        run::stop(&mut self.child);
    }
}

fn configuration(folder: &Path, listen: SocketAddr) -> String {
    include_str!("nginx.conf")
        .replace("FOLDER", &folder.to_string_lossy())
        .replace("LISTEN", &listen.to_string())
}

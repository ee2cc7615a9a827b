//! Tells a service manager that asked for it (`Type=notify` of systemd) that
//! the proxy is ready, and after a restart which process it is now.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

pub(crate) fn ready() {
    tell("READY=1");
}

pub(crate) fn main_process(pid: u32) {
    tell(&format!("MAINPID={pid}\nREADY=1"));
}

fn tell(state: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let told = address(name.as_bytes()).and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(state.as_bytes(), &address)
    });
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager could not be told: {state}");
    }
}

/// An `@` stands for a name that is not in the file system.
fn address(name: &[u8]) -> std::io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))
}

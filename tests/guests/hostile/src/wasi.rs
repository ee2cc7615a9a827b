//! What a guest tries with WASI itself, around the contract.

use std::time::Duration;

use wasip2::clocks::monotonic_clock;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{ErrorCode, Fields, Method, OutgoingBody, OutgoingRequest, Scheme};
use wasip2::random::random::get_random_bytes;
use wasip2::sockets::network::{
    IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};
use wasip2::{cli, filesystem};

use crate::setting;

/// What ends a call, through WASI.
pub fn harm(act: &str) {
    match act {
        "clock" => spin_the_clock(),
        "wait" => monotonic_clock::subscribe_duration(nanos(3600)).block(),
        "handles" => leak_handles(),
        "random" => drop(get_random_bytes(1 << 40)),
        "random-flood" => drink_random(),
        _ => {}
    }
}

fn nanos(seconds: u64) -> u64 {
    u64::try_from(Duration::from_secs(seconds).as_nanos()).unwrap_or(u64::MAX)
}

fn spin_the_clock() {
    while std::hint::black_box(monotonic_clock::now()) > 0 {}
}

fn leak_handles() {
    loop {
        std::mem::forget(monotonic_clock::subscribe_duration(nanos(3600)));
    }
}

fn drink_random() {
    loop {
        drop(std::hint::black_box(get_random_bytes(64 << 10)));
    }
}

/// Everything that WASI could have given away, one line each.
pub fn pry() -> Vec<String> {
    let folders = filesystem::preopens::get_directories();
    vec![
        format!("folders {}", folders.len()),
        format!("variables {}", cli::environment::get_environment().len()),
        format!("arguments {}", cli::environment::get_arguments().len()),
        format!("directory {:?}", cli::environment::initial_cwd()),
        format!(
            "terminal {}",
            cli::terminal_stdout::get_terminal_stdout().is_some()
        ),
        format!("input {:?}", std::io::read_to_string(std::io::stdin())),
        format!(
            "a file {}",
            std::fs::write("/tmp/hostile", "was here").is_ok()
        ),
        format!("etc {}", std::fs::read("/etc/passwd").is_ok()),
    ]
}

/// A connection without HTTP, to the port of the setting `port`.
pub fn sockets() -> Vec<String> {
    let port = setting("port").parse().unwrap_or(80);
    let network = instance_network::instance_network();
    let v4 = IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port,
        address: (127, 0, 0, 1),
    });
    let v6 = IpSocketAddress::Ipv6(Ipv6SocketAddress {
        port,
        flow_info: 0,
        address: (0, 0, 0, 0, 0, 0xffff, 0x7f00, 1),
        scope_id: 0,
    });
    let tcp = |family, address| {
        let socket = tcp_create_socket::create_tcp_socket(family)?;
        socket.start_connect(&network, address)?;
        socket.subscribe().block();
        socket.finish_connect().map(drop)
    };
    let listen = || {
        let socket = tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4)?;
        let any = IpSocketAddress::Ipv4(Ipv4SocketAddress {
            port: 0,
            address: (127, 0, 0, 1),
        });
        socket.start_bind(&network, any)?;
        socket.finish_bind()
    };
    let udp = || {
        let socket = udp_create_socket::create_udp_socket(IpAddressFamily::Ipv4)?;
        socket.stream(Some(v4)).map(drop)
    };
    vec![
        format!("tcp {}", tcp(IpAddressFamily::Ipv4, v4).is_ok()),
        format!("tcp6 {}", tcp(IpAddressFamily::Ipv6, v6).is_ok()),
        format!("listen {}", listen().is_ok()),
        format!("udp {}", udp().is_ok()),
        format!("name {}", looked_up(&network, "localhost")),
    ]
}

fn looked_up(network: &wasip2::sockets::network::Network, name: &str) -> bool {
    let Ok(stream) = ip_name_lookup::resolve_addresses(network, name) else {
        return false;
    };
    stream.subscribe().block();
    matches!(stream.resolve_next_address(), Ok(Some(_)))
}

/// `wasi:http` to the authority of the setting `authority`.
pub fn http() -> Vec<String> {
    let said = match send() {
        Ok(status) => format!("answered {status}"),
        Err(error) => format!("refused {error:?}"),
    };
    vec![said]
}

fn send() -> Result<u16, ErrorCode> {
    let headers = Fields::new();
    let token = setting("token");
    for line in setting("headers").replace("{token}", &token).lines() {
        if let Some((name, value)) = line.split_once(": ") {
            // What is refused here is refused; the request goes on without it.
            let _ = headers.append(name, value.as_bytes());
        }
    }
    let request = OutgoingRequest::new(headers);
    let ill = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_method(&Method::Post).map_err(ill)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(ill)?;
    request
        .set_authority(Some(&setting("authority")))
        .map_err(ill)?;
    request.set_path_with_query(Some("/wasi")).map_err(ill)?;
    let body = request.body().map_err(ill)?;
    write(&body, setting("body").replace("{token}", &token).as_bytes());
    OutgoingBody::finish(body, None)?;
    let coming = outgoing_handler::handle(request, None)?;
    coming.subscribe().block();
    match coming.get() {
        Some(Ok(answer)) => answer.map(|answer| answer.status()),
        _ => Err(ErrorCode::ConfigurationError),
    }
}

fn write(body: &OutgoingBody, bytes: &[u8]) {
    if let Ok(stream) = body.write() {
        for part in bytes.chunks(4096) {
            // A body that is cut short is sent as it is.
            let _ = stream.blocking_write_and_flush(part);
        }
    }
}

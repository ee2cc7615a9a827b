//! The app of the tests: answers every request with 200.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::ExitCode;

pub fn serve() -> ExitCode {
    let port = std::env::var("PORT").expect("PORT");
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port is free");
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    ExitCode::SUCCESS
}

//! What each proxy is told: the same work for all, and what its own
//! documentation advises for many requests on a machine with some cores. All
//! keep connections to the backend alive, tell it for whom they ask, and write
//! no access log.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;

pub const HOST: &str = "bench.localhost";

pub fn nginx(folder: &Path, listen: SocketAddr, backend: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        r#"daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
worker_processes auto;
worker_rlimit_nofile 10000;
events {{ worker_connections 4000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    upstream app {{
        server {backend};
        keepalive 64;
        keepalive_requests 100000000;
    }}
    server {{
        listen {listen} reuseport backlog=4096;
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"#
    )
}

pub fn haproxy(listen: SocketAddr, backend: SocketAddr) -> String {
    format!(
        "global
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option forwardfor
frontend in
    bind {listen} shards by-thread
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    default_backend app
backend app
    server one {backend}
"
    )
}

pub fn caddy(listen: SocketAddr, backend: SocketAddr) -> String {
    let (address, port) = (listen.ip(), listen.port());
    format!(
        "{{
    admin off
    auto_https off
}}
http://:{port} {{
    bind {address}
    reverse_proxy {backend} {{
        transport http {{
            keepalive_idle_conns_per_host 64
        }}
    }}
}}
"
    )
}

/// The state file of `shipway-proxy`, with one route.
pub fn ours(backend: SocketAddr) -> String {
    let route = json!({
        "key": { "app": "bench", "environment": "live" },
        "domains": [HOST],
        "targets": [backend],
        "deployment": "00000000-0000-7000-8000-000000000001",
    });
    json!({ "version": 1, "routes": [route] }).to_string()
}

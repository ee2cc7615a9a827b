//! The prober against servers that do as they are told, on loopback.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use shipway_core::health::{HealthRule, Preset};
use shipway_core::ports::prober::{Healthy, Prober, Unhealthy};
use shipway_core::secret::Secret;
use shipway_runtime::health::{NetProber, Pace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const TRIES: u32 = 20;

/// The rule of the seeds, ten times as quick.
fn prober() -> NetProber {
    NetProber::with_pace(Pace {
        connect: Duration::from_millis(40),
        answer: Duration::from_secs(2),
    })
}

async fn healthy(target: SocketAddr, preset: Preset) -> Result<Healthy, Unhealthy> {
    let rule = HealthRule {
        preset,
        tries: TRIES,
        ..HealthRule::default()
    };
    prober().wait_healthy(target, None, &rule).await
}

/// Answers each connection with the next of these, the last one ever after.
/// Gives what it was sent first.
struct Server {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
enum Answer {
    Text(String),
    /// The headers, and then a body that never comes.
    Headers(String),
    Close,
    Reset,
    Silence,
}

impl Server {
    async fn answering(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = heard.clone();
        tokio::spawn(async move {
            for index in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = answers.get(index).or(answers.last()).unwrap().clone();
                tokio::spawn(Self::serve(stream, answer, hearing.clone()));
            }
        });
        Self { address, heard }
    }

    async fn serve(mut stream: TcpStream, answer: Answer, heard: Arc<Mutex<Vec<String>>>) {
        let mut buffer = [0; 2048];
        if let Answer::Reset = answer {
            let _ = stream.set_zero_linger();
            return;
        }
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        heard.lock().unwrap().push(text);
        match answer {
            Answer::Text(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
            }
            Answer::Headers(text) => {
                let _ = stream.write_all(text.as_bytes()).await;
                std::future::pending::<()>().await;
            }
            Answer::Silence => std::future::pending().await,
            Answer::Close | Answer::Reset => {}
        }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn status(line: &str) -> Answer {
    Answer::Text(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n"))
}

/// Bound and not listening: the port is ours and refuses.
fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[tokio::test]
async fn it_waits_for_a_port_that_opens_late() {
    let (socket, target) = closed_port();
    let opening = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let listener = socket.listen(8).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        Server::serve(stream, status("200 OK"), Arc::default()).await;
    };
    let (healthy, ()) = tokio::join!(healthy(target, Preset::Divio), opening);
    let healthy = healthy.unwrap();
    assert!(healthy.tries > 3, "{healthy:?}");
    assert_eq!(healthy.answer, "200 OK");
    assert!(healthy.took >= Duration::from_millis(200));
}

#[tokio::test]
async fn refused_tries_are_filled_up_and_counted() {
    let (_closed, target) = closed_port();
    let began = Instant::now();
    let error = healthy(target, Preset::Divio).await.unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(40) * TRIES);
    let text = error.to_string();
    let expected = format!("nothing answered on {target} after {TRIES} tries in ");
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.ends_with(" s: connection refused"), "{text}");
}

#[tokio::test]
async fn a_connection_without_an_answer_is_a_failed_try() {
    let answers = vec![
        Answer::Close,
        Answer::Reset,
        Answer::Close,
        status("204 No Content"),
    ];
    let server = Server::answering(answers).await;
    let healthy = healthy(server.address, Preset::Divio).await.unwrap();
    assert_eq!(healthy.tries, 4);

    let server = Server::answering(vec![Answer::Close]).await;
    let error = self::healthy(server.address, Preset::Divio)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("closed the connection without an answer"),
        "{error}"
    );
    assert_eq!(server.heard().len(), TRIES as usize);
}

#[tokio::test]
async fn silence_is_final() {
    let server = Server::answering(vec![Answer::Silence]).await;
    let error = healthy(server.address, Preset::Divio).await.unwrap_err();
    let target = server.address;
    assert_eq!(error, Unhealthy::NoAnswer { target, seconds: 2 });
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn answers_are_judged_by_the_preset_and_a_bad_one_is_final() {
    use Preset::{Divio, Success, SuccessOrRedirect};
    for (line, preset, expected) in [
        ("101 Switching Protocols", Divio, true),
        ("302 Found", Divio, true),
        ("404 Not Found", Divio, true),
        ("500 Internal Server Error", Divio, true),
        ("503 Service Unavailable", Divio, false),
        ("501 Not Implemented", Divio, false),
        ("302 Found", Success, false),
        ("302 Found", SuccessOrRedirect, true),
        ("404 Not Found", SuccessOrRedirect, false),
    ] {
        let server = Server::answering(vec![status(line)]).await;
        let answer = healthy(server.address, preset).await;
        assert_eq!(answer.is_ok(), expected, "{line} {preset:?}: {answer:?}");
        assert_eq!(server.heard().len(), 1, "{line}: asked once");
        if let Err(error) = answer {
            assert!(error.to_string().contains(&line[..3]), "{error}");
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_bodies_not_read() {
    let elsewhere = Server::answering(vec![status("503 Service Unavailable")]).await;
    let headers = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 1000000\r\n\r\n",
        elsewhere.address
    );
    let server = Server::answering(vec![Answer::Headers(headers)]).await;
    let healthy = healthy(server.address, Preset::Divio).await.unwrap();
    assert_eq!(healthy.answer, "302 Found");
    assert!(healthy.took < Duration::from_secs(1));
    assert_eq!(elsewhere.heard(), [""; 0]);
}

#[tokio::test]
async fn it_asks_as_the_domain_for_the_path() {
    let server = Server::answering(vec![status("200 OK")]).await;
    let rule = HealthRule {
        path: "/up?deep=1".to_owned(),
        ..HealthRule::default()
    };
    let domain = "shop.example.com".parse().unwrap();
    prober()
        .wait_healthy(server.address, Some(&domain), &rule)
        .await
        .unwrap();
    let heard = server.heard();
    assert!(
        heard[0].starts_with("GET /up?deep=1 HTTP/1.1\r\n"),
        "{heard:?}"
    );
    assert!(
        heard[0]
            .to_ascii_lowercase()
            .contains("\r\nhost: shop.example.com\r\n"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn the_tcp_preset_takes_any_connection() {
    let server = Server::answering(vec![Answer::Silence]).await;
    let healthy = healthy(server.address, Preset::Tcp).await.unwrap();
    assert_eq!(healthy.answer, "accepts connections");
}

#[tokio::test]
async fn what_is_not_http_is_said() {
    let server = Server::answering(vec![Answer::Text("SSH-2.0-OpenSSH_9.2\r\n".into())]).await;
    let error = healthy(server.address, Preset::Divio).await.unwrap_err();
    assert!(error.to_string().contains("not HTTP"), "{error}");
}

/// A service that sends bytes at once, or after it was sent something.
async fn service(turns: Vec<(Turn, &'static [u8])>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for (turn, bytes) in turns {
            if let Turn::AfterHearing = turn {
                let mut buffer = [0; 1024];
                let _ = stream.read(&mut buffer).await;
            }
            let _ = stream.write_all(bytes).await;
        }
        std::future::pending::<()>().await;
    });
    address
}

enum Turn {
    First,
    AfterHearing,
}

async fn ask(url: String) -> Result<String, String> {
    let asked = prober()
        .service(&Secret::new(url), Duration::from_secs(2))
        .await;
    asked.map_err(|down| down.to_string())
}

#[tokio::test]
async fn a_service_is_asked_in_its_own_protocol() {
    use Turn::{AfterHearing, First};
    let down = "57P03";
    let starting: &'static [u8] = b"E\0\0\0\x1cSFATAL\0C57P03\0Mnot yet\0\0";
    let forged: &'static [u8] = b"E\0\0\0\x06xx";
    for (scheme, turns, expected) in [
        ("tcp", vec![], Ok("accepts connections")),
        ("redis", vec![(AfterHearing, &b"+PONG\r\n"[..])], Ok("PONG")),
        (
            "redis",
            vec![(AfterHearing, b"-NOAUTH Authentication required.\r\n")],
            Ok("asks for a password"),
        ),
        (
            "redis",
            vec![(AfterHearing, b"-LOADING Redis is loading\r\n")],
            Err("loading"),
        ),
        (
            "redis",
            vec![(AfterHearing, b"HTTP/1.1 400 Bad\r\n")],
            Err("not Redis"),
        ),
        (
            "mysql",
            vec![(First, b"\x0f\0\0\0\x0a8.0.36-test\0\0\0")],
            Ok("version 8.0.36-test"),
        ),
        (
            "mysql",
            vec![(First, b"\x08\0\0\0\xff\x10\x04oh no")],
            Err("too many connections"),
        ),
        (
            "mysql",
            vec![(First, b"SSH-2.0-OpenSSH\r\n")],
            Err("not MySQL"),
        ),
        (
            "amqp",
            vec![(AfterHearing, b"\x01\0\0\0\0\x01\xff\0\x0a\0\x0a\0\x09")],
            Ok("0-9-1"),
        ),
        (
            "amqp",
            vec![(AfterHearing, b"AMQP\x00\x01\x00\x00")],
            Ok("1.0.0"),
        ),
        (
            "amqp",
            vec![(AfterHearing, b"HTTP/1.1 400 Bad\r\n")],
            Err("not AMQP"),
        ),
        (
            "postgres",
            vec![
                (AfterHearing, b"N"),
                (AfterHearing, b"R\0\0\0\x0c\0\0\0\x0a"),
            ],
            Ok("asks for a password"),
        ),
        (
            "postgresql",
            vec![
                (AfterHearing, b"N"),
                (AfterHearing, b"R\0\0\0\x08\0\0\0\0S"),
            ],
            Ok("takes connections"),
        ),
        (
            "postgres",
            vec![(AfterHearing, b"N"), (AfterHearing, starting)],
            Err(down),
        ),
        (
            "postgres",
            vec![(AfterHearing, b"N"), (AfterHearing, forged)],
            Err("not PostgreSQL"),
        ),
        (
            "postgres",
            vec![(AfterHearing, b"HTTP/1.1 400 Bad\r\n")],
            Err("not PostgreSQL"),
        ),
        (
            "http",
            vec![(AfterHearing, b"HTTP/1.1 401 Unauthorized\r\n\r\n")],
            Ok("401 Unauthorized"),
        ),
        (
            "http",
            vec![(AfterHearing, b"HTTP/1.1 503 Service Unavailable\r\n\r\n")],
            Err("503"),
        ),
        (
            "https",
            vec![(AfterHearing, b"HTTP/1.1 400 Bad\r\n")],
            Err("no TLS connection"),
        ),
        (
            "rediss",
            vec![(AfterHearing, b"-ERR\r\n")],
            Err("no TLS connection"),
        ),
    ] {
        let address = service(turns).await;
        let answer = ask(format!("{scheme}://bob:hunter22@{address}/0?x=1")).await;
        let (text, right) = match (&answer, expected) {
            (Ok(text), Ok(part)) | (Err(text), Err(part)) => (text, text.contains(part)),
            (Ok(text), Err(_)) | (Err(text), Ok(_)) => (text, false),
        };
        assert!(right, "{scheme}: expected {expected:?}, got {answer:?}");
        assert!(text.contains(&address.to_string()), "{text}");
        assert!(
            !text.contains("hunter22") && !text.contains("bob"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_said_in_time() {
    let (_closed, address) = closed_port();
    let error = ask(format!("postgres://bob:hunter22@{address}/x"))
        .await
        .unwrap_err();
    assert_eq!(
        error,
        format!("PostgreSQL at {address}: connection refused")
    );

    let address = service(vec![]).await;
    let url = Secret::new(format!("redis://:hunter22@{address}"));
    let began = Instant::now();
    let error = prober()
        .service(&url, Duration::from_millis(300))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("did not answer within 0.3 s"),
        "{error}"
    );
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_url_that_cannot_be_asked_is_said_without_its_password() {
    for (url, expected) in [
        ("ftp://bob:hunter22@host/", "known are tcp, http"),
        ("postgres://bob:hunter22@host:notaport/x", "not valid"),
        ("bob:hunter22", "known are tcp"),
        ("$DATABASE_URL", "not valid"),
        ("tcp://bob:hunter22@host", "no port"),
        ("redis:///0", "no host"),
    ] {
        let error = ask(url.to_owned()).await.unwrap_err();
        assert!(error.contains(expected), "{url}: {error}");
        assert!(!error.contains("hunter22"), "{error}");
    }
}

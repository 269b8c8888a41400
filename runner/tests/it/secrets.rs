//! A job's error is read by strangers: whatever a service does, it holds nothing of the operator's
//! address, key, password or token.

use std::net::SocketAddr;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use retake_runner::external::{Config, External, ExternalError, Transport};
use retake_secrets::SecretUrl;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// What a service does once it has read the head of a request.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// Nobody listens at all.
    Absent,
    HangUp,
    Babble,
    /// A problem whose detail is the whole head it was sent.
    Quote(u16),
    /// The same, so far behind that its end is cut off.
    QuoteLate(u16),
    Redirect,
}

const SECRETS: [&str; 5] = [
    "s3cret-user",
    "s3cret-pass",
    "s3cret-key",
    "s3cret-token",
    "s3cret-place-in-the-path",
];

fn url(address: SocketAddr) -> SecretUrl {
    let [user, pass, key, _, path] = SECRETS;
    format!("http://{user}:{pass}@{address}/{path}?key={key}").into()
}

/// Serves one deed until it is aborted.
async fn service(deed: Deed) -> (SocketAddr, Option<JoinHandle<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    if let Deed::Absent = deed {
        return (address, None);
    }
    let serving = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut piece = [0; 4096];
                let Ok(bytes @ 1..) = socket.read(&mut piece).await else {
                    break;
                };
                head.extend_from_slice(&piece[..bytes]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let said = match deed {
                Deed::Absent | Deed::HangUp => continue,
                Deed::Babble => "s3cret-key? is not HTTP at all\r\n\r\n".to_owned(),
                Deed::Redirect => format!(
                    "HTTP/1.1 307 Elsewhere\r\nlocation: http://{address}/?key=s3cret-key\r\n\
                     content-length: 0\r\n\r\n"
                ),
                Deed::Quote(status) => problem(status, &head),
                Deed::QuoteLate(status) => problem(status, &format!("{}{head}", "x".repeat(255))),
            };
            let _ = socket.write_all(said.as_bytes()).await;
        }
    });
    (address, Some(serving))
}

fn problem(status: u16, detail: &str) -> String {
    let body = serde_json::json!({ "detail": detail }).to_string();
    format!(
        "HTTP/1.1 {status} No\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn whatever_a_service_does_a_job_is_told_neither_its_address_nor_a_secret() {
    for transport in [Transport::Rest, Transport::Websocket] {
        for deed in [
            Deed::Absent,
            Deed::HangUp,
            Deed::Babble,
            Deed::Redirect,
            Deed::Quote(401),
            Deed::Quote(503),
            Deed::QuoteLate(401),
            Deed::QuoteLate(503),
        ] {
            let (address, serving) = service(deed).await;
            let told = told(address, transport).await.to_string();
            if let Some(serving) = serving {
                serving.abort();
            }
            let header = BASE64_STANDARD.encode(format!("{}:{}", SECRETS[0], SECRETS[1]));
            let known = ["127.0.0.1".to_owned(), address.port().to_string(), header];
            for hidden in SECRETS.map(str::to_owned).into_iter().chain(known) {
                assert!(!told.contains(&hidden), "{transport:?} {deed:?}: {told}");
            }
            // Nothing of a secret that was cut, either.
            assert!(!told.contains("s3c"), "{transport:?} {deed:?}: {told}");
            if let Deed::Quote(_) = deed {
                assert!(told.contains("***"), "{transport:?} {deed:?}: {told}");
            }
        }
    }
}

async fn told(address: SocketAddr, transport: Transport) -> ExternalError {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.wav");
    std::fs::write(&input, crate::support::recording(4_800)).unwrap();
    let config = Config {
        transport,
        token: SECRETS[3].into(),
        attempts_max: 1,
        ..Config::default()
    };
    let external = External::new("default", url(address), config).unwrap();
    let output = dir.path().join("out.wav");
    external
        .correct(&input, &output, &|_| {})
        .await
        .unwrap_err()
}

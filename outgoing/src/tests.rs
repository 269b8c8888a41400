//! The client against servers that would lead it astray. Two addresses of this machine stand for the world:
//! 127.0.0.2 is allowed, 127.0.0.1 is what must not be reached.

#![allow(clippy::unwrap_used)]

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

const WORLD: [u8; 4] = [127, 0, 0, 2];
const PRIVATE: [u8; 4] = [127, 0, 0, 1];

/// Answers everything with one text and closes; counts who came.
struct Site {
    address: SocketAddr,
    visits: Arc<AtomicUsize>,
}

impl Site {
    async fn on(host: [u8; 4], port: u16, answer: impl Into<String>) -> Self {
        let listener = TcpListener::bind((IpAddr::from(host), port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (answer, visits) = (answer.into(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&visits);
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let mut head = [0; 4096];
                let _ = client.read(&mut head).await;
                let _ = client.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, visits }
    }

    /// Two on one port: of the world, and private.
    async fn pair(answer: &str) -> (Self, Self) {
        loop {
            let world = Self::on(WORLD, 0, answer).await;
            let port = world.address.port();
            if TcpListener::bind((IpAddr::from(PRIVATE), port))
                .await
                .is_ok()
            {
                return (world, Self::on(PRIVATE, port, ok("secret")).await);
            }
        }
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

/// Every name leads to these, in turn; the last for good.
struct Names {
    answers: Vec<Vec<[u8; 4]>>,
    asked: AtomicUsize,
}

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers[asked.min(self.answers.len() - 1)].clone();
        let all = answer.into_iter().map(|ip| SocketAddr::from((ip, 0)));
        Box::pin(async move { Ok(Box::new(all) as Addrs) })
    }
}

fn outgoing(answers: &[&[[u8; 4]]]) -> Outgoing {
    let config = Config {
        allow: vec!["127.0.0.2".to_owned()],
        answer_ms: 2_000,
        ..Config::default()
    };
    let names = Names {
        answers: answers.iter().map(|answer| answer.to_vec()).collect(),
        asked: AtomicUsize::new(0),
    };
    Outgoing::with_resolver(&config, "", Arc::new(names)).unwrap()
}

async fn get(outgoing: &Outgoing, address: &str) -> Result<String, Failed> {
    let mut answer = outgoing
        .get(&Url::parse(address).unwrap(), HeaderMap::new())
        .await?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.unwrap() {
        body.extend_from_slice(&piece);
    }
    Ok(String::from_utf8(body).unwrap())
}

fn is_private(failed: &Failed) -> bool {
    matches!(
        failed,
        Failed::Refused(Refused::Address {
            what: "loopback",
            ..
        })
    )
}

#[tokio::test]
async fn a_name_that_answers_differently_the_second_time_gains_nothing() {
    let (world, private) = Site::pair(&ok("hello")).await;
    let outgoing = outgoing(&[&[WORLD], &[PRIVATE]]);
    let address = format!("http://rebind.example:{}/", world.address.port());
    assert_eq!(get(&outgoing, &address).await.unwrap(), "hello");
    let failed = get(&outgoing, &address).await.unwrap_err();
    assert!(is_private(&failed), "{failed}");
    assert_eq!((world.visits(), private.visits()), (1, 0));
}

#[tokio::test]
async fn of_several_addresses_only_those_that_are_good_are_dialled() {
    let (world, private) = Site::pair(&ok("hello")).await;
    let outgoing = outgoing(&[&[PRIVATE, WORLD, PRIVATE]]);
    let address = format!("http://both.example:{}/", world.address.port());
    assert_eq!(get(&outgoing, &address).await.unwrap(), "hello");
    drop(world);
    assert_eq!(private.visits(), 0);
}

#[tokio::test]
async fn a_literal_skips_the_resolver_and_is_refused_all_the_same() {
    let (world, private) = Site::pair(&ok("hello")).await;
    let outgoing = outgoing(&[&[WORLD]]);
    let port = world.address.port();
    for host in [
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
        "①②⑦.0.0.1",
        "[::ffff:127.0.0.1]",
    ] {
        let address = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        let fetched = outgoing.get(&address, HeaderMap::new()).await.unwrap_err();
        assert!(is_private(&fetched), "{host}: {fetched}");
        let posted = outgoing
            .post(&address, HeaderMap::new(), Bytes::new())
            .await;
        assert!(is_private(&posted.unwrap_err()), "{host}");
    }
    assert_eq!(private.visits(), 0);
}

#[tokio::test]
async fn every_redirect_is_judged_like_the_first_address() {
    let private = Site::on(PRIVATE, 0, ok("secret")).await;
    let port = private.address.port();
    for (to, names) in [
        (format!("http://127.0.0.1:{port}/"), WORLD),
        (format!("//0x7f000001:{port}/"), WORLD),
        (format!("http://inner.example:{port}/"), PRIVATE),
    ] {
        let world = Site::on(WORLD, 0, redirect(&to)).await;
        let outgoing = outgoing(&[&[names]]);
        let address = format!("http://{}/", world.address);
        let failed = get(&outgoing, &address).await.unwrap_err();
        assert!(is_private(&failed), "{to}: {failed}");
        assert_eq!(world.visits(), 1);
    }
    assert_eq!(private.visits(), 0);
    for (to, expected) in [
        ("file:///etc/passwd", "its scheme is \"file\""),
        ("http://u:s3cret@example.org/", "holds a user or a password"),
        ("http://localhost/", "a name of this machine"),
    ] {
        let world = Site::on(WORLD, 0, redirect(to)).await;
        let failed = get(
            &outgoing(&[&[WORLD]]),
            &format!("http://{}/", world.address),
        )
        .await;
        let told = failed.unwrap_err().to_string();
        assert!(
            told.contains(expected) && !told.contains("s3cret"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn redirects_are_followed_so_often_and_a_post_follows_none() {
    let there = Site::on(WORLD, 0, ok("hello")).await;
    let moved = Site::on(WORLD, 0, redirect(&format!("http://{}/x", there.address))).await;
    let round = Site::on(WORLD, 0, redirect("/again")).await;
    let outgoing = outgoing(&[&[WORLD]]);
    let address = |site: &Site| format!("http://{}/", site.address);
    assert_eq!(get(&outgoing, &address(&moved)).await.unwrap(), "hello");
    let failed = get(&outgoing, &address(&round)).await.unwrap_err();
    assert_eq!(failed, Failed::Redirects(5));
    assert_eq!(round.visits(), 6);
    let url = Url::parse(&address(&moved)).unwrap();
    let posted = outgoing
        .post(&url, HeaderMap::new(), Bytes::from("x"))
        .await;
    assert_eq!(posted.unwrap().status(), 302);
    assert_eq!(there.visits(), 1);
}

#[tokio::test]
async fn who_does_not_answer_is_waited_for_so_long() {
    let listener = TcpListener::bind((IpAddr::from(WORLD), 0)).await.unwrap();
    let address = format!("http://{}/s3cret", listener.local_addr().unwrap());
    let config = Config {
        allow: vec!["127.0.0.2".to_owned()],
        answer_ms: 50,
        idle_ms: 50,
        ..Config::default()
    };
    let outgoing = Outgoing::new(&config, "").unwrap();
    assert_eq!(get(&outgoing, &address).await, Err(Failed::Silent(50)));
    // Nobody listens any more.
    drop(listener);
    let told = get(&outgoing, &address).await.unwrap_err().to_string();
    assert!(told.starts_with("no connection could be made"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
    // Begins, and says no more.
    let begun = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    let held = TcpListener::bind((IpAddr::from(WORLD), 0)).await.unwrap();
    let address = Url::parse(&format!("http://{}/", held.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut client, _) = held.accept().await.unwrap();
        let _ = client.read(&mut [0; 4096]).await.unwrap();
        client.write_all(begun.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut answer = outgoing.get(&address, HeaderMap::new()).await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "abc");
    let stalled = answer.chunk().await.unwrap_err();
    assert!(matches!(stalled, BodyFailed::Stalled(_)), "{stalled}");
}

//! RabbitMQ with faults: good, break, see, mend, good. On a private node, because the faults are its.

use std::{collections::BTreeSet, time::Duration};

use retake_backends::rabbitmq::{RabbitOptions, RabbitQueue};
use retake_jobs::seams::{Delivery, Queue, QueueError, Topic};

use crate::{broker::Node, soon};

fn connect(address: &str, prefix: &str) -> RabbitQueue {
    let options = RabbitOptions {
        prefix: prefix.to_owned(),
        ..RabbitOptions::default()
    };
    RabbitQueue::connect(address.parse().unwrap(), options)
}

async fn connected(queue: &RabbitQueue) {
    soon("the connection", async {
        while queue.waiting(Topic::Jobs).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// As the relay does: again until the queue says that it is stored.
async fn publish(queue: &RabbitQueue, body: &str) {
    soon("the publish", async {
        while queue.publish(Topic::Jobs, body.as_bytes()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

async fn claim(queue: &RabbitQueue) -> Delivery {
    soon("a delivery", queue.claim(Topic::Jobs)).await.unwrap()
}

fn text(delivery: &Delivery) -> String {
    String::from_utf8(delivery.body.clone()).unwrap()
}

/// Claims and acks until every one of `bodies` was seen. Doubled ones are allowed, others are not.
async fn drain(queue: &RabbitQueue, bodies: &BTreeSet<String>) {
    let mut seen = BTreeSet::new();
    while seen.len() < bodies.len() {
        let delivery = claim(queue).await;
        assert!(bodies.contains(&text(&delivery)), "{}", text(&delivery));
        seen.insert(text(&delivery));
        // Stale if the connection went in between: then it comes again.
        let _ = queue.ack(delivery).await;
    }
}

/// One node, one fault after the other: starting a node takes longer than all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_the_broker_is_survived() {
    // Shown when it fails, and with RUST_LOG=retake_backends=debug in more detail.
    let log = tracing_subscriber::fmt().with_test_writer();
    let _ = log
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .try_init();
    let node = Node::start().await;
    let queue = connect(&node.address, "faults");
    connected(&queue).await;

    a_delivery_of_a_closed_connection_is_stale_and_comes_again(&node, &queue).await;
    a_process_that_ends_gives_back_what_it_held(&node, &queue).await;
    a_consumer_timeout_does_not_hang_the_claimant(&node, &queue).await;
    a_broker_short_of_memory_or_disk_is_known_before_anything_is_published(&node).await;
    a_broker_short_of_memory_says_so_and_loses_nothing(&node, &queue).await;
    a_user_without_configure_rights_works_on_what_is_declared(&node).await;
    a_crash_of_the_broker_loses_no_confirmed_message(&node, &queue).await;
    // Last: RabbitMQ 3.10 itself does not recover a quorum queue that was deleted and declared again
    // shortly before a crash.
    a_deleted_queue_is_declared_again(&node, &queue).await;
}

async fn a_delivery_of_a_closed_connection_is_stale_and_comes_again(
    node: &Node,
    queue: &RabbitQueue,
) {
    publish(queue, "closed").await;
    let first = claim(queue).await;
    node.ctl(&["close_all_connections", "a test"]).await;
    let again = claim(queue).await;
    assert_eq!(text(&again), "closed");
    assert!(again.redeliveries >= 1);
    assert_eq!(queue.extend(&first).await, Err(QueueError::Stale));
    assert_eq!(queue.ack(first).await, Err(QueueError::Stale));
    queue.ack(again).await.unwrap();
}

async fn a_process_that_ends_gives_back_what_it_held(node: &Node, queue: &RabbitQueue) {
    let other = connect(&node.address, "faults");
    publish(queue, "held").await;
    let held = claim(&other).await;
    assert_eq!(text(&held), "held");
    drop(other);
    let again = claim(queue).await;
    assert_eq!(text(&again), "held");
    queue.ack(again).await.unwrap();
}

/// The broker closes the channel of a consumer that holds a message for too long.
async fn a_consumer_timeout_does_not_hang_the_claimant(node: &Node, queue: &RabbitQueue) {
    // Read when a channel is opened, and looked at in every tick.
    let set = |timeout: &str, tick: &str| {
        format!(
            "application:set_env(rabbit, consumer_timeout, {timeout}), \
             application:set_env(rabbit, channel_tick_interval, {tick})."
        )
    };
    node.ctl(&["eval", &set("1000", "500")]).await;
    node.ctl(&["close_all_connections", "new channels take the setting"])
        .await;
    publish(queue, "slow").await;
    let slow = claim(queue).await;
    let again = claim(queue).await;
    assert_eq!(text(&again), "slow");
    let _ = queue.ack(again).await;
    assert_eq!(queue.ack(slow).await, Err(QueueError::Stale));
    node.ctl(&["eval", &set("1800000", "60000")]).await;
    node.ctl(&["close_all_connections", "as before"]).await;
    publish(queue, "quick").await;
    // "slow" too, if its ack came too late.
    loop {
        let delivery = claim(queue).await;
        let last = text(&delivery) == "quick";
        let acked = queue.ack(delivery).await.is_ok();
        if last && acked {
            break;
        }
    }
}

async fn a_broker_short_of_memory_or_disk_is_known_before_anything_is_published(node: &Node) {
    // As long as `/readyz` waits.
    let asked = async |queue: &RabbitQueue| {
        let asked = tokio::time::timeout(Duration::from_secs(2), queue.waiting(Topic::Jobs));
        asked.await.expect("an answer")
    };
    for (setting, short, enough) in [
        ("set_vm_memory_high_watermark", "0", "0.4"),
        ("set_disk_free_limit", "1000000GB", "1MB"),
    ] {
        let queue = connect(&node.address, "faults");
        connected(&queue).await;
        node.ctl(&[setting, short]).await;
        soon("the alarm", async {
            while !matches!(asked(&queue).await, Err(QueueError::Blocked(_))) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        node.ctl(&[setting, enough]).await;
        soon("the end of the alarm", async {
            while asked(&queue).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        // The same connection, and nothing of the question lies anywhere.
        assert_eq!(asked(&queue).await, Ok(0), "{setting}");
    }
}

/// The broker stops reading what a connection sends once it has published, and says so.
async fn a_broker_short_of_memory_says_so_and_loses_nothing(node: &Node, queue: &RabbitQueue) {
    publish(queue, "held").await;
    let held = claim(queue).await;
    node.ctl(&["set_vm_memory_high_watermark", "0"]).await;
    let blocked = |error: &QueueError| matches!(error, QueueError::Blocked(_));
    soon("the alarm", async {
        while !queue
            .publish(Topic::Jobs, b"alarmed")
            .await
            .is_err_and(|e| blocked(&e))
        {}
    })
    .await;
    let waiting = queue.waiting(Topic::Jobs).await;
    assert!(waiting.as_ref().is_err_and(blocked), "{waiting:?}");
    // It gets there later; the session is not given up for it.
    queue.ack(held).await.unwrap();
    node.ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
    publish(queue, "relieved").await;
    queue.waiting(Topic::Jobs).await.unwrap();
    loop {
        let delivery = claim(queue).await;
        let text = text(&delivery);
        queue.ack(delivery).await.unwrap();
        match text.as_str() {
            "relieved" => break,
            other => assert_eq!(other, "alarmed"),
        }
    }
}

async fn a_user_without_configure_rights_works_on_what_is_declared(node: &Node) {
    node.ctl(&["add_user", "limited", "secret"]).await;
    node.ctl(&["set_permissions", "limited", "^$", ".*", ".*"])
        .await;
    let address = node.address.replace("guest:guest@", "limited:secret@");
    let queue = connect(&address, "faults");
    connected(&queue).await;
    publish(&queue, "by a limited user").await;
    let delivery = claim(&queue).await;
    assert_eq!(text(&delivery), "by a limited user");
    queue.retry(delivery, Duration::from_secs(1)).await.unwrap();
    let again = claim(&queue).await;
    assert_eq!(text(&again), "by a limited user");
    queue.ack(again).await.unwrap();
    queue.publish(Topic::Completions, b"done").await.unwrap();
    let done = soon("a completion", queue.claim(Topic::Completions)).await;
    queue.ack(done.unwrap()).await.unwrap();

    // Nothing is made up: what is not there is out of reach.
    let nowhere = connect(&address, "undeclared");
    let published = soon("the publish's end", nowhere.publish(Topic::Jobs, b"x")).await;
    assert!(
        matches!(published, Err(QueueError::Unavailable(_))),
        "{published:?}"
    );
}

async fn a_deleted_queue_is_declared_again(node: &Node, queue: &RabbitQueue) {
    node.ctl(&["delete_queue", "faults.jobs"]).await;
    publish(queue, "after the deletion").await;
    let delivery = claim(queue).await;
    assert_eq!(text(&delivery), "after the deletion");
    queue.ack(delivery).await.unwrap();
}

async fn a_crash_of_the_broker_loses_no_confirmed_message(node: &Node, queue: &RabbitQueue) {
    let mut bodies = BTreeSet::new();
    for n in 0..20 {
        let body = format!("before {n}");
        publish(queue, &body).await;
        bodies.insert(body);
    }
    let held = claim(queue).await;
    let (_, ()) = tokio::join!(node.crash_and_restart(), async {
        for n in 0..5 {
            let body = format!("during {n}");
            publish(queue, &body).await;
            bodies.insert(body);
        }
    });
    assert_eq!(queue.ack(held).await, Err(QueueError::Stale));
    drain(queue, &bodies).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_down_is_unavailable_and_nothing_hangs() {
    // Bound and closed again: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let queue = connect(&format!("amqp://127.0.0.1:{port}/%2f"), "down");
    assert!(matches!(
        queue.waiting(Topic::Jobs).await,
        Err(QueueError::Unavailable(_))
    ));
    let published = soon("the publish's end", queue.publish(Topic::Jobs, b"x")).await;
    assert!(matches!(published, Err(QueueError::Unavailable(_))));
}

#[tokio::test]
async fn an_amqps_address_is_spoken_to_in_tls() {
    use tokio::io::AsyncReadExt;

    const TLS_HANDSHAKE: u8 = 22;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let _queue = connect(&format!("amqps://localhost:{port}/%2f"), "tls");
    let (mut connection, _) = soon("a connection", listener.accept()).await.unwrap();
    let first = soon("the first byte", connection.read_u8()).await.unwrap();
    assert_eq!(first, TLS_HANDSHAKE);
}

/// Its name is `localhost`, and `ca.pem` vouches for it.
fn tls_server() -> rustls::ServerConfig {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

    let certificate = include_bytes!("../../../tests/fixtures/tls/server.pem");
    let key = include_bytes!("../../../tests/fixtures/tls/server.key");
    let provider = rustls::crypto::ring::default_provider();
    rustls::ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
        .unwrap()
}

/// The first bytes that a client says within TLS, or why there was none.
fn first_words(listener: &std::net::TcpListener) -> std::io::Result<[u8; 4]> {
    use std::io::Read;

    let (connection, _) = listener.accept()?;
    let tls = rustls::ServerConnection::new(std::sync::Arc::new(tls_server())).unwrap();
    let mut said = [0; 4];
    rustls::StreamOwned::new(tls, connection).read_exact(&mut said)?;
    Ok(said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_brokers_certificate_may_be_vouched_for_by_an_authority_of_ones_own() {
    let ca = include_str!("../../../tests/fixtures/tls/ca.pem");
    for (ca_pem, trusted) in [("", false), (ca, true)] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let options = RabbitOptions {
            ca_pem: ca_pem.to_owned(),
            ..RabbitOptions::default()
        };
        let address = format!("amqps://localhost:{port}/%2f");
        let _queue = RabbitQueue::connect(address.parse().unwrap(), options);
        let said = tokio::task::spawn_blocking(move || first_words(&listener));
        let said = soon("a connection", said).await.unwrap();
        assert_eq!(said.as_ref().ok(), trusted.then_some(b"AMQP"), "{said:?}");
    }
}

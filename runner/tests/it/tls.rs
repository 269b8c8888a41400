//! An external service whose certificate an authority of one's own vouches for.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
};

use retake_runner::external::{Config, External, ExternalError};

use crate::support::recording;

const CA: &str = include_str!("../../../tests/fixtures/tls/ca.pem");

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

/// Answers one request with a refusal, which is all that is needed to know that it got there.
fn refuse_one(listener: &TcpListener) -> std::io::Result<()> {
    let (connection, _) = listener.accept()?;
    let tls = rustls::ServerConnection::new(Arc::new(tls_server())).unwrap();
    let mut stream = rustls::StreamOwned::new(tls, connection);
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut some = [0; 4096];
        let length = stream.read(&mut some)?;
        head.extend_from_slice(&some[..length]);
    }
    stream.write_all(b"HTTP/1.1 418 I'm a teapot\r\ncontent-length: 0\r\n\r\n")?;
    stream.flush()?;
    // Until the client is done, so that it loses nothing of the answer.
    while stream.read(&mut [0; 4096])? > 0 {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_trusted_authority_vouches_for_a_service() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.wav");
    std::fs::write(&input, recording(1000)).unwrap();
    for (ca_pem, trusted) in [("", false), (CA, true)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let server = std::thread::spawn(move || refuse_one(&listener));
        let config = Config {
            attempts_max: 1,
            ca_pem: ca_pem.to_owned(),
            ..Config::default()
        };
        let external = External::new("default", &url, config).unwrap();
        let output = folder.path().join("out.wav");
        let error = external
            .correct(&input, &output, &|_| {})
            .await
            .unwrap_err();
        drop(external);
        let _ = server.join().unwrap();
        match error {
            ExternalError::Refused { status, .. } => assert!(trusted && status == 418),
            ExternalError::Unavailable { detail, .. } => {
                assert!(!trusted && detail.contains("certificate"), "{detail}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn certificates_that_cannot_be_read_make_no_client() {
    let config = Config {
        ca_pem: "-----BEGIN CERTIFICATE-----\n??\n-----END CERTIFICATE-----\n".to_owned(),
        ..Config::default()
    };
    let Err(error) = External::new("x", "https://localhost", config) else {
        panic!("it was taken");
    };
    assert!(error.to_string().contains("certificates"), "{error}");
}

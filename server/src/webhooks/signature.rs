//! Signatures `v1` of the specification, by its own library.

use base64::{Engine, prelude::BASE64_STANDARD};
use retake_secrets::Secret;
use standardwebhooks::{Webhook, WebhookError};

/// A new secret: 256 random bits.
pub fn new_secret() -> Secret {
    let bytes: [u8; 32] = rand::random();
    Secret::from(format!("whsec_{}", BASE64_STANDARD.encode(bytes)))
}

/// One signature for each secret, as they stand in `webhook-signature`.
pub fn sign(secrets: &[Secret], id: &str, at_s: i64, body: &[u8]) -> Result<String, WebhookError> {
    let one = |secret: &Secret| Webhook::new(secret.expose())?.sign(id, at_s, body);
    let all: Result<Vec<_>, _> = secrets.iter().map(one).collect();
    Ok(all?.join(" "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_as_there() {
        let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = sign(std::slice::from_ref(&secret), id, 1_614_265_330, body).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both = sign(&[new_secret(), secret], id, 1_614_265_330, body).unwrap();
        assert!(both.ends_with(&format!(" {signed}")), "{both}");
    }
}

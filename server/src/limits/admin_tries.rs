//! Wrong admin keys: from one network address a few a minute, then it is not listened to; from
//! everybody together somewhat more, then each try waits. Nobody guesses 256 bits; this keeps
//! whoever tries from costing more than a line in the log.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use http::header;
use retake_chain::problem::ProblemKind;

use crate::{
    config::{Config, ms},
    http::{
        request_id::{Peer, RequestId},
        respond::Refusal,
    },
    limits::address_rate::AddressRate,
};

/// Stands for everybody.
const EVERYBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[derive(Debug)]
pub struct AdminTries {
    by_address: AddressRate,
    by_all: AddressRate,
    pause: Duration,
}

impl AdminTries {
    pub fn new(config: &Config) -> Self {
        Self {
            by_address: AddressRate::new(config.admin_tries_per_minute_max),
            by_all: AddressRate::new(config.admin_tries_per_minute_total_max),
            pause: ms(config.admin_try_ms),
        }
    }

    /// Before a key is looked at.
    pub async fn admit(&self, peer: Option<Peer>) -> Result<(), Refusal> {
        let (address, now) = (address(peer), Instant::now());
        if self.by_address.used_up(address, now) {
            let limit = self.by_address.limit();
            let detail = format!(
                "{limit} wrong admin keys came from your network address; none is looked at for a \
                 minute"
            );
            return Err(Refusal::new(ProblemKind::TooManyRequests, detail)
                .with_header(header::RETRY_AFTER, "60"));
        }
        if self.by_all.used_up(EVERYBODY, now) {
            tokio::time::sleep(self.pause).await;
        }
        Ok(())
    }

    /// After a wrong one, before it is answered.
    pub async fn wrong(&self, peer: Option<Peer>, request_id: &RequestId) {
        let (address, now) = (address(peer), Instant::now());
        self.by_all.take(EVERYBODY, now);
        let allowed = self.by_address.take(address, now);
        tracing::warn!(
            request.id = request_id.as_str(),
            "a wrong admin key came from {address}{}",
            if allowed { "" } else { ", one of too many" }
        );
        tokio::time::sleep(self.pause).await;
    }
}

/// Tests ask without a connection.
fn address(peer: Option<Peer>) -> IpAddr {
    peer.map_or(EVERYBODY, |peer| peer.0.ip())
}

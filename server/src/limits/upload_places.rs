//! Who may be uploading: places over everybody, and how many of them one owner and one network
//! address may take, so that nobody takes those of the others.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use retake_chain::problem::ProblemKind;
use retake_jobs::id::OwnerId;

use crate::{
    config::Config,
    http::{request_id::Peer, respond::Refusal},
    limits::address_rate::network,
};

#[derive(Debug)]
pub struct UploadPlaces {
    max: usize,
    per_owner_max: usize,
    per_address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Whoever publishes plugins has no owner; they count as one.
    owners: HashMap<Option<OwnerId>, usize>,
    addresses: HashMap<IpAddr, usize>,
}

/// One upload's place. Dropping it gives the place back.
#[derive(Debug)]
pub struct UploadPlace {
    places: Arc<UploadPlaces>,
    owner: Option<OwnerId>,
    address: Option<IpAddr>,
}

impl UploadPlaces {
    pub fn new(config: &Config) -> Self {
        Self {
            max: config.uploads_max,
            per_owner_max: config.uploads_per_owner_max,
            per_address_max: config.uploads_per_address_max,
            taken: Mutex::default(),
        }
    }

    pub fn open(&self) -> usize {
        self.taken.lock().expect("no panic while held").all
    }

    pub fn take(
        self: &Arc<Self>,
        owner: Option<OwnerId>,
        peer: Option<Peer>,
    ) -> Result<UploadPlace, Refusal> {
        let address = peer.map(|peer| network(peer.0.ip()));
        let mut taken = self.taken.lock().expect("no panic while held");
        let crowded = |kind, most, whose: &str| {
            let detail =
                format!("{most} uploads {whose}are being read, and no more are at once; try again");
            Err(Refusal::new(kind, detail))
        };
        if count(&taken.owners, &owner) >= self.per_owner_max {
            return crowded(
                ProblemKind::TooManyRequests,
                self.per_owner_max,
                "of yours ",
            );
        }
        if address.is_some_and(|at| count(&taken.addresses, &at) >= self.per_address_max) {
            let whose = "from your network address ";
            return crowded(ProblemKind::TooManyRequests, self.per_address_max, whose);
        }
        if taken.all >= self.max {
            return crowded(ProblemKind::Unavailable, self.max, "");
        }
        taken.all += 1;
        *taken.owners.entry(owner).or_default() += 1;
        if let Some(address) = address {
            *taken.addresses.entry(address).or_default() += 1;
        }
        Ok(UploadPlace {
            places: self.clone(),
            owner,
            address,
        })
    }
}

impl Drop for UploadPlace {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().expect("no panic while held");
        taken.all -= 1;
        give_back(&mut taken.owners, &self.owner);
        if let Some(address) = self.address {
            give_back(&mut taken.addresses, &address);
        }
    }
}

fn count<K: Eq + Hash>(taken: &HashMap<K, usize>, key: &K) -> usize {
    taken.get(key).copied().unwrap_or_default()
}

fn give_back<K: Eq + Hash>(taken: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = taken.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            taken.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_three_limits_hold_and_a_place_is_given_back() {
        let places = Arc::new(UploadPlaces::new(&Config {
            uploads_max: 4,
            uploads_per_owner_max: 2,
            uploads_per_address_max: 3,
            ..Config::default()
        }));
        let at = |last: u8| Some(Peer(([192, 0, 2, last], 1000 + u16::from(last)).into()));
        let (a, b, c) = (OwnerId::new(), OwnerId::new(), OwnerId::new());
        let refused = |owner, peer| {
            let refusal = places.take(owner, peer).unwrap_err();
            refusal.problem.detail.clone()
        };
        let first = places.take(Some(a), at(1)).unwrap();
        let _second = places.take(Some(a), at(1)).unwrap();
        assert!(refused(Some(a), at(2)).contains("2 uploads of yours"));
        let _third = places.take(Some(b), at(1)).unwrap();
        assert!(refused(Some(c), at(1)).contains("3 uploads from your network"));
        let _fourth = places.take(Some(c), at(2)).unwrap();
        assert!(refused(None, None).contains("4 uploads are being read"));
        drop(first);
        assert_eq!(places.open(), 3);
        assert!(places.take(Some(a), at(1)).is_ok());
    }
}

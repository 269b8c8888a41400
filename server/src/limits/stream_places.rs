//! Places for requests over HTTP/2, of which one connection may hold a hundred: over everybody, and how
//! many of them one network address may take, so that nobody takes those of the others.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use crate::{config::Config, limits::address_rate::network};

#[derive(Debug)]
pub struct StreamPlaces {
    max: usize,
    per_address_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    addresses: HashMap<IpAddr, usize>,
}

/// One stream's place. Dropping it gives the place back.
#[derive(Debug)]
pub struct StreamPlace {
    places: Arc<StreamPlaces>,
    address: IpAddr,
}

impl StreamPlaces {
    pub fn new(config: &Config) -> Self {
        Self {
            max: config.h2_streams_max,
            per_address_max: config.h2_streams_per_address_max,
            taken: Mutex::default(),
        }
    }

    /// `None`: all are taken, or all of this client's share.
    pub fn take(self: &Arc<Self>, client: SocketAddr) -> Option<StreamPlace> {
        let address = network(client.ip());
        let mut taken = self.taken.lock().expect("no panic while held");
        let here = taken.addresses.get(&address).copied().unwrap_or_default();
        if taken.all >= self.max || here >= self.per_address_max {
            return None;
        }
        taken.all += 1;
        taken.addresses.insert(address, here + 1);
        Some(StreamPlace {
            places: self.clone(),
            address,
        })
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().expect("no panic while held");
        taken.all -= 1;
        if let Some(here) = taken.addresses.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                taken.addresses.remove(&self.address);
            }
        }
    }
}

//! How often one network address may do something in a minute: open a session, because sessions are
//! free and anonymous and would otherwise be a way to fill the store, or to get around every limit
//! per owner; or send a wrong admin key.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Mutex,
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(60);

/// More addresses than this in a minute are counted as one.
const ADDRESSES_MAX: usize = 65_536;

#[derive(Debug)]
pub struct AddressRate {
    limit: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    counts: HashMap<IpAddr, u32>,
}

impl AddressRate {
    pub fn new(limit: u32) -> Self {
        let window = Window {
            began: Instant::now(),
            counts: HashMap::new(),
        };
        Self {
            limit,
            window: Mutex::new(window),
        }
    }

    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Counts one more; whether it was allowed.
    pub fn take(&self, address: IpAddr, now: Instant) -> bool {
        let mut window = self.window.lock().expect("no panic while held");
        let count = window.count(address, now);
        *count = count.saturating_add(1);
        *count <= self.limit
    }

    /// Whether one more would be refused. Counts nothing.
    pub fn used_up(&self, address: IpAddr, now: Instant) -> bool {
        let mut window = self.window.lock().expect("no panic while held");
        *window.count(address, now) >= self.limit
    }
}

impl Window {
    fn count(&mut self, address: IpAddr, now: Instant) -> &mut u32 {
        if now.duration_since(self.began) >= WINDOW {
            *self = Self {
                began: now,
                counts: HashMap::new(),
            };
        }
        let mut address = network(address);
        if self.counts.len() >= ADDRESSES_MAX && !self.counts.contains_key(&address) {
            address = Ipv6Addr::UNSPECIFIED.into();
        }
        self.counts.entry(address).or_default()
    }
}

/// An IPv6 subscriber has at least a /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_has_its_limit_per_minute_and_no_other_address_feels_it() {
        let rate = AddressRate::new(2);
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let now = Instant::now();
        assert!(rate.take(a, now) && rate.take(a, now));
        assert!(!rate.take(a, now));
        assert!(rate.used_up(a, now) && !rate.used_up(b, now));
        assert!(rate.take(b, now));
        assert!(rate.take(a, now + WINDOW));
    }

    #[test]
    fn a_whole_ipv6_network_is_one_address() {
        let rate = AddressRate::new(1);
        let now = Instant::now();
        assert!(rate.take("2001:db8::1".parse().unwrap(), now));
        assert!(!rate.take("2001:db8::ffff:2".parse().unwrap(), now));
        assert!(rate.take("2001:db8:0:1::1".parse().unwrap(), now));
        assert!(rate.take("::ffff:192.0.2.1".parse().unwrap(), now));
        assert!(!rate.take("192.0.2.1".parse().unwrap(), now));
    }
}

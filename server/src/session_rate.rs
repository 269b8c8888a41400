//! How many sessions one network address may open in a minute. Sessions are free and anonymous, so
//! they would otherwise be a way to fill the store, or to get around every limit per owner.

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
pub struct SessionRate {
    limit: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    opened: HashMap<IpAddr, u32>,
}

impl SessionRate {
    pub fn new(limit: u32) -> Self {
        let window = Window {
            began: Instant::now(),
            opened: HashMap::new(),
        };
        Self {
            limit,
            window: Mutex::new(window),
        }
    }

    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Whether one more is allowed now; if so it is counted.
    pub fn take(&self, address: IpAddr, now: Instant) -> bool {
        let mut window = self.window.lock().expect("no panic while held");
        if now.duration_since(window.began) >= WINDOW {
            *window = Window {
                began: now,
                opened: HashMap::new(),
            };
        }
        let mut address = network(address);
        if window.opened.len() >= ADDRESSES_MAX && !window.opened.contains_key(&address) {
            address = Ipv6Addr::UNSPECIFIED.into();
        }
        let opened = window.opened.entry(address).or_default();
        *opened = opened.saturating_add(1);
        *opened <= self.limit
    }
}

/// An IPv6 subscriber has at least a /64.
fn network(address: IpAddr) -> IpAddr {
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
        let rate = SessionRate::new(2);
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let now = Instant::now();
        assert!(rate.take(a, now) && rate.take(a, now));
        assert!(!rate.take(a, now));
        assert!(rate.take(b, now));
        assert!(rate.take(a, now + WINDOW));
    }

    #[test]
    fn a_whole_ipv6_network_is_one_address() {
        let rate = SessionRate::new(1);
        let now = Instant::now();
        assert!(rate.take("2001:db8::1".parse().unwrap(), now));
        assert!(!rate.take("2001:db8::ffff:2".parse().unwrap(), now));
        assert!(rate.take("2001:db8:0:1::1".parse().unwrap(), now));
        assert!(rate.take("::ffff:192.0.2.1".parse().unwrap(), now));
        assert!(!rate.take("192.0.2.1".parse().unwrap(), now));
    }
}

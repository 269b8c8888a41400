//! Networks in CIDR notation, and which addresses are the whole world's.
//!
//! What is not the whole world's is ours or our neighbours': a request that a stranger has us send there
//! would speak with our voice. The standard library's own questions miss half of it (shared, benchmarking and
//! reserved networks, and every way but one of writing an IPv4 address as an IPv6 one), so this is a table:
//! the registries of special addresses, <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// An address, or a network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// IPv4 as its IPv6 mapping.
    bits: u128,
    prefix: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it must be an address, 192.0.2.1 or 2001:db8::1 say, or a network, 10.0.0.0/8 say")]
pub struct NoNetwork;

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNetwork)?;
        let most: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => most,
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map_err(|_| NoNetwork)?
            }
            Some(_) => return Err(NoNetwork),
        };
        if length > most {
            return Err(NoNetwork);
        }
        Ok(Self {
            bits: bits(address),
            prefix: 128 - most + length,
        })
    }
}

impl Network {
    pub fn holds(&self, address: IpAddr) -> bool {
        let differing = self.bits ^ bits(address);
        differing.checked_shr(128 - self.prefix).unwrap_or(0) == 0
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

const V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "a provider's own (CGNAT)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    // Azure's metadata: an address of the whole world's by its number, answered by the host below.
    (Ipv4Addr::new(168, 63, 129, 16), 32, "metadata"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local or metadata"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Within 2000::/3, which alone is given to the world.
const V6: &[(u128, u32, &str)] = &[
    // Teredo, ORCHID and benchmarks among them.
    (0x2001_0000 << 96, 23, "for protocols"),
    (0x2001_0db8 << 96, 32, "for documentation"),
    (0x2002_0000 << 96, 16, "6to4"),
    (0x3fff_0000 << 96, 20, "for documentation"),
];

/// What the address is instead of the whole world's; `None` where it is that.
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => special_v4(v4),
        IpAddr::V6(v6) => special_v6(v6),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let within = |network: Ipv4Addr, length: u32| {
        (network.to_bits() ^ address.to_bits()) >> (32 - length) == 0
    };
    let found = V4
        .iter()
        .find(|(network, length, _)| within(*network, *length));
    found.map(|(.., what)| *what)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let within = |network: u128, length: u32| (network ^ bits) >> (128 - length) == 0;
    let last = Ipv4Addr::from_bits(bits as u32);
    // Ways to an IPv4 address that networks of the day really take: what it leads to decides.
    if within(0xffff << 32, 96) || within(0x0064_ff9b << 96, 96) {
        return special_v4(last);
    }
    // ISATAP: any network's, the IPv4 address behind this mark.
    if matches!((bits >> 32) as u32, 0x0000_5efe | 0x0200_5efe) {
        return Some("ISATAP");
    }
    if within(0x2000 << 112, 3) {
        let found = V6
            .iter()
            .find(|(network, length, _)| within(*network, *length));
        return found.map(|(.., what)| *what);
    }
    Some(match () {
        () if bits == 0 => "this network",
        () if bits == 1 => "loopback",
        () if within(0, 96) || within(0xffff << 48, 96) => "an IPv4 address in disguise",
        () if within(0xfc00 << 112, 7) => "private",
        () if within(0xfe80 << 112, 10) => "link-local",
        () if within(0xff00 << 112, 8) => "multicast",
        () => "reserved",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_the_whole_worlds_is_known_in_every_disguise() {
        for (address, expected) in [
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("0.0.0.0", "this network"),
            ("0.1.2.3", "this network"),
            ("10.1.2.3", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "a provider's own (CGNAT)"),
            ("100.100.100.200", "a provider's own (CGNAT)"),
            ("169.254.169.254", "link-local or metadata"),
            ("168.63.129.16", "metadata"),
            ("192.0.0.192", "for protocols"),
            ("192.0.2.7", "for documentation"),
            ("198.19.255.255", "for benchmarks"),
            ("198.51.100.7", "for documentation"),
            ("203.0.113.7", "for documentation"),
            ("192.88.99.1", "6to4"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "reserved"),
            ("::", "this network"),
            ("::1", "loopback"),
            ("::127.0.0.1", "an IPv4 address in disguise"),
            ("::8.8.8.8", "an IPv4 address in disguise"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "link-local or metadata"),
            ("::ffff:0:10.0.0.1", "an IPv4 address in disguise"),
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b::7f00:1", "loopback"),
            ("64:ff9b:1::8.8.8.8", "reserved"),
            ("100::1", "reserved"),
            ("2001::1", "for protocols"),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", "for protocols"),
            ("2001:2::1", "for protocols"),
            ("2001:20::1", "for protocols"),
            ("2001:db8::1", "for documentation"),
            ("2002:7f00:1::", "6to4"),
            ("2002:0808:0808::", "6to4"),
            ("3fff::1", "for documentation"),
            ("5f00::1", "reserved"),
            ("2a00:1450::5efe:10.0.0.1", "ISATAP"),
            ("2a00:1450::200:5efe:8.8.8.8", "ISATAP"),
            ("fd00:ec2::254", "private"),
            ("fc00::1", "private"),
            ("fe80::1", "link-local"),
            ("fec0::1", "reserved"),
            ("ff02::1", "multicast"),
        ] {
            assert_eq!(
                special(address.parse().unwrap()),
                Some(expected),
                "{address}"
            );
        }
    }

    #[test]
    fn what_is_the_whole_worlds_is_left_to_it() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450:4001:81b::200e",
        ] {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn networks_hold_their_own_addresses_and_no_others() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("::1", "::1", true),
        ] {
            let network: Network = network.parse().unwrap();
            assert_eq!(
                network.holds(address.parse().unwrap()),
                inside,
                "{network:?} {address}"
            );
        }
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0/8",
            "::/129",
            "proxy",
            "10.0.0.1/+8",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}

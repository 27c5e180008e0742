//! IP addresses and CIDR ranges.

use crate::text;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address with the number of bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads an address, `/` and a number of bits; without them, the one address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text::cut(text, b'/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) if text::is_digits(bits) => bits.parse().ok()?,
            Some(_) => return None,
        };
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether the address lies in the range.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4()
            && self.bits <= other.bits
            && self.masked()
                == Self {
                    address: other.address,
                    bits: self.bits,
                }
                .masked()
    }

    /// The range with all bits cleared that do not count.
    #[must_use]
    pub fn masked(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
            }
        }
    }

    /// The same range without bits that do not count, if it has any.
    #[must_use]
    pub fn tidied(self) -> Option<String> {
        let masked = self.masked();
        (masked != self.address).then(|| format!("{masked}/{}", self.bits))
    }

    /// Whether every address in it is private, so that AWS never sees it as a source.
    #[must_use]
    pub fn is_private(self) -> bool {
        const PRIVATE: [&str; 6] = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "fc00::/7",
        ];
        PRIVATE
            .iter()
            .filter_map(|range| Self::parse(range))
            .any(|range| range.contains(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Network {
        Network::parse(text).unwrap()
    }

    #[test]
    fn ranges_contain_addresses() {
        assert!(net("203.0.113.0/24").contains(net("203.0.113.9")));
        assert!(!net("203.0.113.0/24").contains(net("203.0.114.9")));
        assert!(net("0.0.0.0/0").contains(net("1.2.3.4")));
        assert!(net("2001:db8::/32").contains(net("2001:db8:1::1")));
        assert!(!net("::/0").contains(net("1.2.3.4")));
        assert_eq!(Network::parse("1.2.3.4/33"), None);
        assert_eq!(Network::parse("1.2.3"), None);
        assert_eq!(Network::parse("1.2.3.4/"), None);
    }

    #[test]
    fn idle_bits_and_private_ranges() {
        assert_eq!(
            net("203.0.113.9/24").tidied().as_deref(),
            Some("203.0.113.0/24")
        );
        assert_eq!(net("203.0.113.0/24").tidied(), None);
        assert!(net("10.1.0.0/16").is_private() && !net("9.0.0.0/7").is_private());
        for (inside, outside) in [
            ("10.255.255.255", "11.0.0.0"),
            ("172.31.255.255", "172.32.0.0"),
            ("192.168.255.255", "192.169.0.0"),
            ("127.0.0.1", "128.0.0.1"),
            ("169.254.1.1", "169.253.1.1"),
            ("fdff::1", "fe00::1"),
        ] {
            assert!(
                net(inside).is_private() && !net(outside).is_private(),
                "{inside} {outside}"
            );
        }
        assert_eq!(
            net("2001:db8::1/32").tidied().as_deref(),
            Some("2001:db8::/32")
        );
        assert_eq!(Network::parse("::1/129"), None);
        assert_eq!(Network::parse("1.2.3.4/+8"), None);
    }
}

//! Whether a list of exceptions, in the form of NO_PROXY, names a host.

use std::net::IpAddr;

/// Whether `list`, in the form of NO_PROXY, names the host. An entry is `*`, a domain (with all below it), an address or a
/// network such as `10.0.0.0/8`. All but a network may have a port behind them, and then count for that port alone.
pub(super) fn is_listed(list: &str, host: &str, port: u16) -> bool {
    let host = bare(host).trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    let names = |entry: &str| {
        let entry = entry.to_ascii_lowercase();
        if let Some((network, bits)) = entry.split_once('/') {
            return address.zip(bits.parse().ok()).is_some_and(|(address, bits)| within(address, network, bits));
        }
        let (entry, only) = match entry.rsplit_once(':') {
            // More than one colon without brackets is an address of version 6.
            Some((name, digits)) if !name.contains(':') || name.ends_with(']') => (name, Some(digits)),
            _ => (entry.as_str(), None),
        };
        if only.is_some_and(|only| only.parse() != Ok(port)) {
            return false;
        }
        if entry == "*" {
            return true;
        }
        match address {
            Some(address) => bare(entry).parse() == Ok(address),
            None => {
                let domain = entry.trim_start_matches('*').trim_matches('.');
                !domain.is_empty()
                    && host.strip_suffix(domain).is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
        }
    };
    list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty()).any(names)
}

/// Whether the first `bits` of both addresses are the same.
fn within(address: IpAddr, network: &str, bits: u32) -> bool {
    match (address, network.parse()) {
        (IpAddr::V4(a), Ok(IpAddr::V4(b))) if bits <= 32 => u64::from(a.to_bits() ^ b.to_bits()) >> (32 - bits) == 0,
        (IpAddr::V6(a), Ok(IpAddr::V6(b))) if bits <= 128 => {
            bits == 0 || (a.to_bits() ^ b.to_bits()) >> (128 - bits) == 0
        }
        _ => false,
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::BaseUrl;

    #[test]
    fn no_proxy_names_domains_addresses_and_networks() {
        let listed = |list: &str, url: &str| {
            let server = BaseUrl::parse(url).expect("a good URL");
            is_listed(list, server.host(), server.port())
        };
        for list in
            ["*", "*:443", "example.com", ".example.com", "*.example.com", "EXAMPLE.com:443", "a, api.example.com ,b"]
        {
            assert!(listed(list, "https://api.example.com"), "{list}");
        }
        for list in ["", "ample.com", "example.com:444", "*:444", "api.example.com.org", "com.", "10.0.0.0/8", ","] {
            let last = list == "com.";
            assert_eq!(listed(list, "https://api.example.com"), last, "{list}");
        }
        for list in ["10.1.2.3", "10.0.0.0/8", "10.1.2.3:443", "0.0.0.0/0"] {
            assert!(listed(list, "https://10.1.2.3"), "{list}");
        }
        for list in ["10.1.2.4", "11.0.0.0/8", "10.1.2.3/33", "2.3", "fd00::/8", "10.1.2.3/x"] {
            assert!(!listed(list, "https://10.1.2.3"), "{list}");
        }
        for list in ["fd00::1", "[fd00::1]", "[fd00::1]:443", "fd00::/8", "::/0"] {
            assert!(listed(list, "https://[fd00::1]"), "{list}");
        }
        assert!(!listed("[fd00::1]:444,fe00::/8", "https://[fd00::1]"));
    }
}

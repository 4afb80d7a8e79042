//! Which proxy, if any, stands between a client and its server.
//!
//! Its user name and password are secrets: they are in the agent's settings and on the wire to the proxy, and in no error,
//! log line or `Debug`.

use std::env::VarError;
use std::fmt::{self, Debug, Formatter};
use std::net::IpAddr;

use ureq::http::Uri;
use ureq::{Proxy, ProxyProtocol};
use zeroize::Zeroizing;

use super::BaseUrl;
use crate::error::{Error, Result};

/// A proxy, and how it is called without its credentials.
#[derive(Clone)]
pub(crate) struct Via {
    pub(super) proxy: Proxy,
    pub(super) name: String,
}

/// What a client was told about proxies.
#[derive(Clone, Debug, Default)]
pub(crate) enum ProxyChoice {
    /// What the environment says when the client is made.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one, whatever the environment says.
    By(Via),
}

impl ProxyChoice {
    /// The proxy on the way to `server`. `Status::Argument` when the environment names one that cannot be used: going
    /// round it unasked would be worse.
    pub(super) fn on_the_way_to(&self, server: &BaseUrl) -> Result<Option<Via>> {
        match self {
            ProxyChoice::Environment => of_environment(server, &|name| match std::env::var(name) {
                Ok(value) => Ok(Some(Zeroizing::new(value)).filter(|value| !value.is_empty())),
                Err(VarError::NotPresent) => Ok(None),
                Err(VarError::NotUnicode(_)) => Err(Error::argument(format!("{name} is not UTF-8; set it again"))),
            }),
            ProxyChoice::Direct => Ok(None),
            ProxyChoice::By(via) => Ok(Some(via.clone())),
        }
    }
}

impl Via {
    /// `[http|https|socks5|socks5h]://[user:password@]host[:port]`. Without a scheme it is `http`.
    pub(crate) fn parse(url: &str) -> Result<Via> {
        let bad = |why: &str| {
            Error::argument(format!(
                "{why}; give something like http://user:password@proxy:3128 or socks5://proxy:1080, with what is special \
                 in a user name or a password percent-encoded"
            ))
        };
        let proxy = Proxy::new(url).map_err(|_| bad("the proxy is not a URL of a kind that is known"))?;
        let scheme = match proxy.protocol() {
            ProxyProtocol::Http => "http",
            ProxyProtocol::Https => "https",
            ProxyProtocol::Socks5 | ProxyProtocol::Socks5h => "socks5",
            _ => return Err(bad("SOCKS4 is not supported")),
        };
        let host = proxy.host();
        // The parser takes any digits for a port, and would fall back to the scheme's.
        let authority = proxy.uri().authority().map_or("", |authority| authority.as_str());
        let port = authority.rsplit('@').next().and_then(|after| after[host.len()..].strip_prefix(':'));
        if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().unwrap_or(0) == 0) {
            return Err(bad("the proxy has no host, or a port that is not a number from 1 to 65535"));
        }
        let too_long = |text: Option<&str>| text.is_some_and(|text| text.len() > 255);
        if scheme == "socks5" && (too_long(proxy.username()) || too_long(proxy.password())) {
            return Err(bad("a SOCKS5 proxy takes at most 255 bytes of user name and of password"));
        }
        let name = format!("{scheme}://{host}:{}", proxy.port());
        Ok(Via { proxy, name })
    }

    /// Whether it speaks SOCKS5; otherwise it is asked to CONNECT.
    pub(super) fn is_socks(&self) -> bool {
        self.name.starts_with("socks5:")
    }
}

impl Debug for Via {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The proxy that the environment names for `server`: HTTPS_PROXY or HTTP_PROXY, as the server's URL begins, otherwise
/// ALL_PROXY, unless NO_PROXY names the server. Each in small letters first.
fn of_environment(server: &BaseUrl, get: &impl Fn(&str) -> Result<Option<Zeroizing<String>>>) -> Result<Option<Via>> {
    let uri: Uri = server.as_str().parse().map_err(|_| Error::internal("an unchecked base URL"))?;
    let default = if server.is_secure() { 443 } else { 80 };
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(default));
    // In a CGI program HTTP_PROXY is a header of whoever sent the request.
    let shouted = if get("REQUEST_METHOD")?.is_none() { "HTTP_PROXY" } else { "http_proxy" };
    let names = if server.is_secure() { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", shouted] };
    let first = |names: &[&'static str]| {
        names.iter().find_map(|name| get(name).map(|value| value.map(|value| (*name, value))).transpose()).transpose()
    };
    let Some((name, url)) = first(&[names[0], names[1], "all_proxy", "ALL_PROXY"])? else { return Ok(None) };
    if first(&["no_proxy", "NO_PROXY"])?.is_some_and(|(_, list)| is_listed(&list, host, port)) {
        return Ok(None);
    }
    Via::parse(&url).map(Some).map_err(|e| Error::argument(format!("{name} cannot be used: {}", e.message())))
}

/// Whether `list`, in the form of NO_PROXY, names the host: `*`, a domain (with all below it), an address, a network as
/// `10.0.0.0/8`; each but the last with a port, if it is about that port alone.
fn is_listed(list: &str, host: &str, port: u16) -> bool {
    let host = bare(host).trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    let names = |entry: &str| {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            return address.zip(bits.parse().ok()).is_some_and(|(address, bits)| within(address, network, bits));
        }
        let (entry, only) = match entry.rsplit_once(':') {
            // More than one colon and no brackets: an address of version 6.
            Some((name, digits)) if !name.contains(':') || name.ends_with(']') => (name, Some(digits)),
            _ => (entry.as_str(), None),
        };
        if only.is_some_and(|only| only.parse() != Ok(port)) {
            return false;
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

    fn of(url: &str, variables: &[(&str, &str)]) -> Result<Option<String>> {
        let get = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            Ok(found.map(|(_, value)| Zeroizing::new((*value).to_owned())))
        };
        let server = BaseUrl::parse(url).expect("a good URL");
        of_environment(&server, &get).map(|via| via.map(|via| via.name))
    }

    #[test]
    fn the_environment_is_asked_by_scheme_and_small_letters_come_first() {
        let all = [
            ("ALL_PROXY", "socks5h://all"),
            ("HTTP_PROXY", "http://plain:1"),
            ("HTTPS_PROXY", "http://SECURE:2"),
            ("https_proxy", "secure:3"),
        ];
        let named = |url, from: usize, to: usize| of(url, &all[from..to]).expect("good proxies");
        assert_eq!(named("https://x", 0, 4).as_deref(), Some("http://secure:3"));
        assert_eq!(named("https://x", 0, 3).as_deref(), Some("http://SECURE:2"));
        assert_eq!(named("http://x", 0, 4).as_deref(), Some("http://plain:1"));
        assert_eq!(named("https://x", 0, 2).as_deref(), Some("socks5://all:1080"));
        assert_eq!(named("https://x", 1, 2), None);
        let cgi = [("HTTP_PROXY", "http://plain"), ("REQUEST_METHOD", "POST")];
        assert_eq!(of("http://x", &cgi).expect("ignored"), None);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_without_its_password() {
        for url in [
            "socks4://u:secret@x",
            "ftp://u:secret@x",
            "http://u:secret@x:0",
            "http://u:secret@x:99999",
            "http://u:sec ret@x",
            "http://",
        ] {
            let error = of("https://x", &[("HTTPS_PROXY", url)]).expect_err(url);
            assert!(error.message().contains("HTTPS_PROXY") && error.message().contains("percent-encoded"), "{error}");
            assert!(!error.message().contains("sec"), "{error}");
        }
        let via = Via::parse("http://user:p%40ss@proxy:3128/").expect("a proxy");
        assert_eq!((via.proxy.username(), via.proxy.password()), (Some("user"), Some("p@ss")));
        assert_eq!(format!("{via:?}"), "http://proxy:3128");
        assert!(Via::parse(&format!("socks5://{}:x@h", "u".repeat(256))).is_err());
    }

    #[test]
    fn no_proxy_names_domains_addresses_and_networks() {
        let listed = |list: &str, url: &str| {
            of(url, &[("https_proxy", "http://p"), ("NO_PROXY", list)]).expect("a good proxy").is_none()
        };
        for list in ["*", "example.com", ".example.com", "*.example.com", "EXAMPLE.com:443", "a, api.example.com ,b"] {
            assert!(listed(list, "https://api.example.com"), "{list}");
        }
        for list in ["", "ample.com", "example.com:444", "api.example.com.org", "com.", "10.0.0.0/8", ","] {
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

    #[test]
    fn a_given_proxy_or_none_overrules_the_environment() {
        let server = BaseUrl::parse("https://x").expect("a good URL");
        assert!(ProxyChoice::Direct.on_the_way_to(&server).expect("none").is_none());
        let given = ProxyChoice::By(Via::parse("http://p").expect("a proxy"));
        assert_eq!(given.on_the_way_to(&server).expect("a proxy").expect("a proxy").name, "http://p:80");
    }
}

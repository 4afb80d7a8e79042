//! Which proxy, if any, stands between a client and its server.
//!
//! Its user name and password are secrets. They are in the client's settings and on the wire to the proxy, and in no error,
//! log line or `Debug`.

use std::fmt::{self, Debug, Formatter};
use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::BaseUrl;
use super::no_proxy::is_listed;
use crate::error::{Error, Result};

/// A proxy, and its name without its credentials.
#[derive(Clone)]
pub(crate) struct Via {
    pub(super) kind: Kind,
    /// A name or an address; an address of version 6 in brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) credentials: Option<Credentials>,
    name: String,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// CONNECT (RFC 9110, section 9.3.6) over TCP.
    Http,
    /// CONNECT over TLS.
    Https,
    /// SOCKS5 (RFC 1928).
    Socks,
}

/// User name and password, decoded.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) user: Zeroizing<Vec<u8>>,
    pub(super) password: Zeroizing<Vec<u8>>,
}

/// The proxy of a client.
#[derive(Clone, Debug, Default)]
pub(crate) enum ProxyChoice {
    /// None was set.
    #[default]
    Unset,
    /// None, whatever the environment says.
    Direct,
    /// This one, whatever the environment says.
    By(Via),
    /// The one that the environment names for the server.
    Environment(Variables),
}

/// The environment's proxies: for each of the two kinds of server the variable that counts, and its value.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    https: Option<(&'static str, Zeroizing<String>)>,
    http: Option<(&'static str, Zeroizing<String>)>,
    /// The list of hosts that need no proxy.
    except: Option<Zeroizing<String>>,
}

impl ProxyChoice {
    /// Reads the variables: HTTPS_PROXY or HTTP_PROXY, as the server's URL begins, otherwise ALL_PROXY, unless NO_PROXY
    /// names the server. Each in small letters first.
    pub(crate) fn of_environment(get: &impl Fn(&str) -> Result<Option<Zeroizing<String>>>) -> Result<Variables> {
        // In a CGI program HTTP_PROXY is a header of the client that sent the request.
        let is_cgi = get("REQUEST_METHOD")?.is_some();
        let first = |names: &[&'static str]| {
            let found = names.iter().filter(|name| !(is_cgi && **name == "HTTP_PROXY"));
            found.map(|name| Ok(get(name)?.map(|value| (*name, value)))).find_map(Result::transpose).transpose()
        };
        Ok(Variables {
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            http: first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            except: first(&["no_proxy", "NO_PROXY"])?.map(|(_, list)| list),
        })
    }

    /// Takes what the environment says, unless a proxy, or none, has been set.
    pub(crate) fn look_up_in(&mut self, environment: Variables) {
        if matches!(self, ProxyChoice::Unset | ProxyChoice::Environment(_)) {
            *self = ProxyChoice::Environment(environment);
        }
    }

    /// The proxy on the way to `server`. `Status::Argument` if the environment names a proxy that cannot be used: the client
    /// does not go round it.
    pub(crate) fn on_the_way_to(&self, server: &BaseUrl) -> Result<Option<Via>> {
        match self {
            ProxyChoice::Unset | ProxyChoice::Direct => Ok(None),
            ProxyChoice::By(via) => Ok(Some(via.clone())),
            ProxyChoice::Environment(variables) => variables.on_the_way_to(server),
        }
    }
}

impl Variables {
    fn on_the_way_to(&self, server: &BaseUrl) -> Result<Option<Via>> {
        let named = if server.is_secure() { &self.https } else { &self.http };
        let Some((name, url)) = named else { return Ok(None) };
        if self.except.as_ref().is_some_and(|list| is_listed(list, server.host(), server.port())) {
            return Ok(None);
        }
        Via::parse(url).map(Some).map_err(|e| Error::argument(format!("{name} cannot be used: {}", e.message())))
    }
}

impl Debug for Variables {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Variables")
    }
}

impl Via {
    /// `[http|https|socks5|socks5h://][user:password@]host[:port]`. Without a scheme it is `http`.
    pub(crate) fn parse(url: &str) -> Result<Via> {
        let bad = |why: &str| {
            Error::argument(format!(
                "{why}; give something like http://user:password@proxy:3128 or socks5://proxy:1080, with special characters \
                 of a user name or a password percent-encoded"
            ))
        };
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad("the proxy is not a URL: it has a space, a control character or a letter outside ASCII"));
        }
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (kind, scheme, usual_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, "http", 80),
            "https" => (Kind::Https, "https", 443),
            "socks5" | "socks5h" | "socks" => (Kind::Socks, "socks5", 1080),
            _ => return Err(bad("the proxy has a scheme that is not supported")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !matches!(path, "" | "/") {
            return Err(bad("the proxy's URL has a path, a query or a fragment; a proxy has none"));
        }
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (Some(Credentials::decode(credentials)), address),
            None => (None, authority),
        };
        let (host, port) = split_port(address).ok_or_else(|| bad("the proxy has no host, or none that can be read"))?;
        let port = match port {
            None => usual_port,
            Some(port) => {
                decimal(port).ok_or_else(|| bad("the proxy has a port that is not a number from 1 to 65535"))?
            }
        };
        if credentials.as_ref().is_some_and(|c| kind == Kind::Socks && (c.user.len() > 255 || c.password.len() > 255)) {
            return Err(bad("a SOCKS5 proxy takes at most 255 bytes of user name and of password"));
        }
        let host = host.to_ascii_lowercase();
        let name = format!("{scheme}://{host}:{port}");
        Ok(Via { kind, host, port, credentials, name })
    }
}

impl Via {
    /// How messages name it: without its credentials.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Credentials {
    fn decode(text: &str) -> Credentials {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let decoded = |text| Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
        Credentials { user: decoded(user), password: decoded(password) }
    }
}

/// A host, and the digits behind the colon if there is one. `None` if the host is no name and no address.
fn split_port(address: &str) -> Option<(&str, Option<&str>)> {
    let end = match address.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => address.find(':').unwrap_or(address.len()),
    };
    let (host, port) = address.split_at(end);
    let is_name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(bare) => bare.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && is_name(host),
    };
    let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
    good.then_some((host, port))
}

/// A port: digits alone, without a sign and without zeros in front.
fn decimal(port: &str) -> Option<u16> {
    let plain = !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|_| plain)
}

impl Debug for Via {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
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
        let mut choice = ProxyChoice::default();
        choice.look_up_in(ProxyChoice::of_environment(&get)?);
        choice.on_the_way_to(&server).map(|via| via.map(|via| via.name))
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
        assert_eq!(named("https://x", 0, 3).as_deref(), Some("http://secure:2"));
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
            "http://u:secret@x/path",
            "http://u:secret@x:1/?a=b",
            "http://u:secret@x#f",
            "http://u:secret@x:+1",
            "http://u:secret@x:01",
            "http://u:secret@[::1",
            "http://u:secret@[::1]x",
            "http://",
        ] {
            let error = of("https://x", &[("HTTPS_PROXY", url)]).expect_err(url);
            assert!(error.message().contains("HTTPS_PROXY") && error.message().contains("percent-encoded"), "{error}");
            assert!(!error.message().contains("sec"), "{error}");
        }
        let via = Via::parse("http://user:p%40ss@proxy:3128/").expect("a proxy");
        let credentials = via.credentials.as_ref().expect("credentials");
        assert_eq!((&credentials.user[..], &credentials.password[..]), (&b"user"[..], &b"p@ss"[..]));
        assert_eq!(format!("{via:?}"), "http://proxy:3128");
        assert!(Via::parse(&format!("socks5://{}:x@h", "u".repeat(256))).is_err());
    }

    #[test]
    fn a_given_proxy_or_none_overrules_the_environment() {
        let server = BaseUrl::parse("https://x").expect("a good URL");
        let set = |mut choice: ProxyChoice| {
            let get = |name: &str| Ok((name == "https_proxy").then(|| Zeroizing::new("http://env:1".to_owned())));
            choice.look_up_in(ProxyChoice::of_environment(&get).expect("variables"));
            choice.on_the_way_to(&server).expect("a good proxy").map(|via| via.name)
        };
        assert_eq!(set(ProxyChoice::Unset).as_deref(), Some("http://env:1"));
        assert_eq!(set(ProxyChoice::Direct), None);
        assert_eq!(set(ProxyChoice::By(Via::parse("http://p").expect("a proxy"))).as_deref(), Some("http://p:80"));
        assert!(ProxyChoice::Direct.on_the_way_to(&server).expect("none").is_none());
        let given = ProxyChoice::By(Via::parse("http://p").expect("a proxy"));
        assert_eq!(given.on_the_way_to(&server).expect("a proxy").expect("a proxy").name, "http://p:80");
    }
}

//! The server's address, checked once so that nothing else has to.

use std::ops::Range;

use url::Url;

use crate::error::{Error, Result};

/// `https://host[:port][/path]` without a trailing slash, the host in lower case, the port only where it is not the usual.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    text: String,
    secure: bool,
    host: Range<usize>,
    port: u16,
}

impl Default for BaseUrl {
    /// NOMYO's own server.
    fn default() -> BaseUrl {
        let text = "https://api.nomyo.ai".to_owned();
        BaseUrl { host: "https://".len()..text.len(), text, secure: true, port: 443 }
    }
}

impl BaseUrl {
    /// Reads a URL as the WHATWG URL standard does, so that each spelling of a server gives the same text: the host in lower
    /// case, its IDNA A-labels, one form of IPv4 and IPv6 addresses, the usual port left out. Spellings that the standard
    /// would repair, such as backslashes, are refused.
    pub(crate) fn parse(url: &str) -> Result<BaseUrl> {
        let bad = |why: &str| Error::argument(format!("base_url {why}; give something like https://api.nomyo.ai"));
        if url.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(bad("has a blank, a control character or a backslash in it"));
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("must begin with https://"))?;
        let (secure, usual_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return Err(bad("must begin with https:// (or http://, if the client is allowed that)")),
        };
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        if authority.contains('@') {
            return Err(bad("must not carry a user name or password; use the API key"));
        }
        if authority.is_empty() {
            return Err(bad("names no host"));
        }
        if rest.contains(['?', '#']) {
            return Err(bad("must not have a query or a fragment"));
        }
        // The parser takes an empty port for the scheme's, and refuses others in words of its own.
        let after_host = authority.rfind(']').map_or(authority, |bracket| &authority[bracket + 1..]);
        let port = after_host.split_once(':').map(|(_, port)| port);
        if port.is_some_and(|port| port.bytes().any(|b| !b.is_ascii_digit()) || port.parse::<u16>().unwrap_or(0) == 0) {
            return Err(bad("has a port that is not a number from 1 to 65535"));
        }
        let parsed = Url::parse(url).map_err(|_| bad("is not a URL"))?;
        let name = parsed.host_str().filter(|name| !name.is_empty()).ok_or_else(|| bad("names no host"))?;
        let port = parsed.port().unwrap_or(usual_port);
        let scheme = if secure { "https" } else { "http" };
        let host = scheme.len() + 3..scheme.len() + 3 + name.len();
        let shown_port = if port == usual_port { String::new() } else { format!(":{port}") };
        let path = parsed.path().trim_end_matches('/');
        Ok(BaseUrl { text: format!("{scheme}://{name}{shown_port}{path}"), secure, host, port })
    }

    /// The name of this server in the file of known servers. A dot at the end of a host does not make it another server.
    pub(crate) fn identity(&self) -> String {
        let (before, after) = (&self.text[..self.host.end], &self.text[self.host.end..]);
        format!("{}{after}", before.strip_suffix('.').unwrap_or(before))
    }

    /// Whether it is HTTPS.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host; an address of version 6 in brackets.
    pub(super) fn host(&self) -> &str {
        &self.text[self.host.clone()]
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL of `path`, which begins with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_spelling_and_its_path_stays() {
        let joined = |url| BaseUrl::parse(url).expect("a good URL").join("/pki/public_key");
        assert_eq!(joined("https://api.nomyo.ai"), "https://api.nomyo.ai/pki/public_key");
        assert_eq!(joined("HTTPS://API.nomyo.ai:443///"), "https://api.nomyo.ai/pki/public_key");
        assert_eq!(joined("http://x:443"), "http://x:443/pki/public_key");
        assert_eq!(joined("https://[::1]:8443/llm/"), "https://[::1]:8443/llm/pki/public_key");
        assert!(!BaseUrl::parse("http://localhost:1").expect("a good URL").is_secure());
        for (alias, server) in [
            ("https://x:0443", "https://x"),
            ("https://127.1:8443", "https://127.0.0.1:8443"),
            ("https://0x7f.0.0.1", "https://127.0.0.1"),
            ("https://[0:0::0001]", "https://[::1]"),
            ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("https://x/a/../llm/", "https://x/llm"),
            ("https://api.nomyo.ai.", "https://api.nomyo.ai"),
            ("https://api.nomyo.ai.:8443/llm", "https://api.nomyo.ai:8443/llm"),
        ] {
            assert_eq!(BaseUrl::parse(alias).expect(alias).identity(), server, "{alias}");
        }
    }

    #[test]
    fn what_is_not_a_plain_server_address_is_refused_with_a_sentence() {
        let bad = [
            "",
            "api.nomyo.ai",
            "ftp://x",
            "https://",
            "https://u:p@x",
            "https://x/?q=1",
            "https://x#f",
            "https://a b",
            "https://x:",
            "https://x:0",
            "https://x:99999999",
            "https://[::1]:65536/y",
            "https://x:+443",
            "https://[::1]x",
            "https://[::1",
            "https://1.2.3.256",
            "https:x",
            "https:///x",
            "https:\\\\x",
            "https://x\\y",
            " https://x",
            "https://x\n",
            "https://x\ty",
            "https://xn--a",
        ];
        for url in bad {
            let error = BaseUrl::parse(url).expect_err(url);
            assert!(error.message().contains("https://api.nomyo.ai"), "{url}: {error}");
            assert!(!error.message().contains("u:p"), "{error}");
        }
    }
}

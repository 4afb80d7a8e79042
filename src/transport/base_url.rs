//! The server's address, checked once so that nothing else has to.

use ureq::http::Uri;

use crate::error::{Error, Result};

/// `https://host[:port][/path]` without a trailing slash, the host in lower case, the port only where it is not the usual.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    text: String,
    secure: bool,
}

impl BaseUrl {
    pub(crate) fn parse(url: &str) -> Result<BaseUrl> {
        let bad = |why: &str| Error::argument(format!("base_url {why}; give something like https://api.nomyo.ai"));
        let uri: Uri = url.trim_end_matches('/').parse().map_err(|_| bad("is not a URL"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad("must begin with https:// (or http://, if the client is allowed that)")),
        };
        let authority = uri.authority().ok_or_else(|| bad("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("must not carry a user name or password; use the API key"));
        }
        if authority.host().is_empty() {
            return Err(bad("names no host"));
        }
        // The parser takes any digits, and none, for a port, and would fall back to the scheme's.
        let port = authority.as_str()[authority.host().len()..].strip_prefix(':');
        if port.is_some_and(|port| port.parse::<u16>().unwrap_or(0) == 0) {
            return Err(bad("has a port that is not a number from 1 to 65535"));
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(bad("must not have a query or a fragment"));
        }
        let path = uri.path().trim_end_matches('/');
        let (scheme, usual_port) = if secure { ("https", ":443") } else { ("http", ":80") };
        let authority = authority.as_str().to_ascii_lowercase();
        let authority = authority.strip_suffix(usual_port).unwrap_or(&authority);
        Ok(BaseUrl { text: format!("{scheme}://{authority}{path}"), secure })
    }

    /// Whether it is HTTPS.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
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
        ];
        for url in bad {
            let error = BaseUrl::parse(url).expect_err(url);
            assert!(error.message().contains("https://api.nomyo.ai"), "{url}: {error}");
            assert!(!error.message().contains("u:p"), "{error}");
        }
    }
}

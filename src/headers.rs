//! The headers of an HTTP response, as callers may read them. Nobody has authenticated them.

use std::ffi::{CStr, CString};
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

/// The headers of the last HTTP response of a call; none if there was no response. Untrusted: nobody has authenticated them.
///
/// Values of the same name are one, with `, ` between them (RFC 9110, section 5.3). A header is left out if a value has bytes other
/// than visible ASCII characters, spaces and tabs.
#[derive(Clone, Default)]
pub struct Headers(Arc<Known>);

#[derive(Default)]
struct Known {
    /// Name and value of each header.
    all: Vec<(Box<str>, CString)>,
    /// The id of the request in the log of the server or of a gateway, if it is a short word. If several were given, the first.
    request_id: Option<CString>,
}

impl Headers {
    /// The headers of a response.
    pub(crate) fn of(map: &HeaderMap) -> Headers {
        let value = |name| -> Option<CString> {
            let values = map.get_all(name).iter().map(|value| value.to_str().ok()).collect::<Option<Vec<_>>>()?;
            CString::new(values.join(", ")).ok()
        };
        let all = map.keys().filter_map(|name| Some((name.as_str().into(), value(name)?))).collect();
        Headers(Arc::new(Known { all, request_id: request_id(map) }))
    }

    /// The value of the header `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.with_nul(name).map(text)
    }

    /// Names in small letters, and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.all.iter().map(|(name, value)| (&**name, text(value)))
    }

    /// As [`get`](Headers::get), with the NUL that C wants.
    pub(crate) fn with_nul(&self, name: &str) -> Option<&CStr> {
        let (_, value) = self.0.all.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub(crate) fn request_id(&self) -> Option<&CStr> {
        self.0.request_id.as_deref()
    }
}

fn request_id(map: &HeaderMap) -> Option<CString> {
    const LONGEST: usize = 128;
    let id = map.get("x-request-id")?.to_str().ok()?.trim();
    let is_short = !id.is_empty() && id.len() <= LONGEST && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_short { CString::new(id).ok() } else { None }
}

/// A value is ASCII.
fn text(value: &CStr) -> &str {
    value.to_str().unwrap_or_default()
}

/// Names only, because a gateway may put a credential into a value.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.all.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static [u8])]) -> Headers {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).expect("a value"));
        }
        Headers::of(&map)
    }

    #[test]
    fn values_of_one_name_become_one_and_names_have_no_case() {
        let read = headers(&[("x-limit", b"1"), ("other", b""), ("x-limit", b"2")]);
        assert_eq!(read.get("X-Limit"), Some("1, 2"));
        assert_eq!(read.get("other"), Some(""));
        assert_eq!(read.iter().filter(|(name, _)| *name == "x-limit").count(), 1);
        assert_eq!(read.get("absent"), None);
    }

    #[test]
    fn a_value_that_is_not_ascii_text_counts_as_absent() {
        assert_eq!(headers(&[("x-name", b"J\xfcrgen")]).get("x-name"), None);
    }

    #[test]
    fn a_request_id_is_a_short_word() {
        assert_eq!(headers(&[("x-request-id", b"a-1")]).request_id(), Some(c"a-1"));
        assert_eq!(headers(&[("x-request-id", b"a"), ("x-request-id", b"b")]).request_id(), Some(c"a"));
        assert_eq!(headers(&[("x-request-id", b"a 1")]).request_id(), None);
        assert_eq!(headers(&[("x-request-id", &[b'x'; 129])]).request_id(), None);
    }

    #[test]
    fn debug_output_has_no_value() {
        assert_eq!(format!("{:?}", headers(&[("set-cookie", b"session=1")])), r#"["set-cookie"]"#);
    }
}

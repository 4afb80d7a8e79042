//! How long the server asks to wait: `Retry-After-Ms`, then `Retry-After` (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// The wait that `headers` ask for. Malformed, zero and negative ones count as not said.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |value: f64| match Duration::try_from_secs_f64(value) {
        Ok(wait) => Some(wait).filter(|wait| !wait.is_zero()),
        // Longer than any number says.
        Err(_) => (value > 0.0).then_some(Duration::MAX),
    };
    text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()).and_then(|ms| seconds(ms / 1000.0)).or_else(|| {
        let value = text("retry-after")?;
        match value.parse::<f64>() {
            Ok(number) => seconds(number),
            Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).ok().filter(|wait| !wait.is_zero()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Option<Duration> {
        let headers = pairs.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).expect("a value"))
        });
        // Sun, 06 Nov 1994 08:49:37 GMT
        retry_after(&headers.collect(), SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777))
    }

    #[test]
    fn milliseconds_come_before_seconds_and_both_may_be_fractions() {
        assert_eq!(read(&[("retry-after-ms", "1500.5"), ("retry-after", "9")]), Some(Duration::from_micros(1_500_500)));
        assert_eq!(read(&[("retry-after", "0.25")]), Some(Duration::from_millis(250)));
        assert_eq!(read(&[("retry-after-ms", "x"), ("retry-after", "2")]), Some(Duration::from_secs(2)));
    }

    #[test]
    fn an_http_date_is_counted_from_now() {
        assert_eq!(read(&[("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT")]), Some(Duration::from_secs(23)));
        assert_eq!(read(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]), None);
    }

    #[test]
    fn a_wait_beyond_any_number_is_the_longest_there_is() {
        for value in ["1e30", "99999999999999999999", "inf", "1e999"] {
            assert_eq!(read(&[("retry-after", value)]), Some(Duration::MAX), "{value}");
        }
    }

    #[test]
    fn nonsense_counts_as_not_said() {
        for value in ["", "soon", "-1", "0", "NaN", "-inf"] {
            assert_eq!(read(&[("retry-after", value)]), None, "{value}");
        }
    }
}

//! SOCKS5 as a client speaks it: RFC 1928, and RFC 1929 for the user name and the password.
//!
//! The proxy is given the server's name, and looks it up.

use zeroize::Zeroizing;

use super::channel::Waiting;
use super::failure::{Failure, Refusal};
use super::proxy::Credentials;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const CONNECT: u8 = 1;

/// The operations of a connection that SOCKS needs.
pub(super) trait Talk {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Failure>;
    fn read_exact(&mut self, buf: &mut [u8]) -> Result<(), Failure>;
}

impl Talk for Waiting<'_, '_> {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Waiting::write_all(self, bytes)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> Result<(), Failure> {
        Waiting::read_exact(self, buf)
    }
}

/// Has the proxy at the other end of `connection` connect to `host`.
pub(super) fn connect(
    connection: &mut impl Talk,
    credentials: Option<&Credentials>,
    host: &str,
    port: u16,
) -> Result<(), Failure> {
    connection.write_all(if credentials.is_some() {
        &[VERSION, 2, NO_AUTHENTICATION, PASSWORD]
    } else {
        &[VERSION, 1, NO_AUTHENTICATION]
    })?;
    match (read::<2>(connection)?, credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => {}
        ([VERSION, PASSWORD], Some(credentials)) => log_in(connection, credentials)?,
        ([VERSION, _], _) => return Err(refused("the proxy wants a user name and a password: give them in its URL")),
        _ => return Err(refused("what answers there is no SOCKS5 proxy: check the proxy's URL")),
    }
    let mut request = vec![VERSION, CONNECT, 0];
    match host.trim_matches(['[', ']']).parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            request.push(3);
            push_text(&mut request, host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    connection.write_all(&request)?;
    let [version, reply, _, kind] = read::<4>(connection)?;
    if version != VERSION {
        return Err(refused("what answers there is no SOCKS5 proxy: check the proxy's URL"));
    }
    let passing = |what: &str| Failure::Proxy(Refusal { what: what.to_owned(), passing: true });
    match reply {
        0 => {}
        2 => return Err(refused("the proxy does not allow connections to the server: ask who runs it")),
        3 | 4 => return Err(passing("the proxy does not reach the server")),
        5 => return Err(passing("the proxy's connection to the server was refused")),
        7 | 8 => return Err(refused("the proxy cannot do what it was asked to: check the proxy's URL")),
        _ => return Err(passing("the proxy could not connect to the server")),
    }
    // The address from which it connected, which nobody asked for.
    let more = match kind {
        1 => 4,
        3 => usize::from(read::<1>(connection)?[0]),
        4 => 16,
        _ => return Err(refused("what answers there is no SOCKS5 proxy: check the proxy's URL")),
    };
    connection.read_exact(&mut [0; 255 + 2][..more + 2])?;
    Ok(())
}

fn log_in(connection: &mut impl Talk, credentials: &Credentials) -> Result<(), Failure> {
    let mut request = Zeroizing::new(Vec::with_capacity(3 + 255 + 255));
    request.push(1);
    push_text(&mut request, &credentials.user);
    push_text(&mut request, &credentials.password);
    connection.write_all(&request)?;
    match read::<2>(connection)? {
        [_, 0] => Ok(()),
        _ => Err(refused("the proxy does not accept the user name and the password in its URL")),
    }
}

/// A text behind its length. Of names and credentials that are longer the proxy sees the beginning, and refuses them;
/// longer credentials are not accepted in the first place, and longer names do not exist.
fn push_text(request: &mut Vec<u8>, text: &[u8]) {
    let len = u8::try_from(text.len()).unwrap_or(u8::MAX);
    request.push(len);
    request.extend(&text[..usize::from(len)]);
}

fn read<const N: usize>(connection: &mut impl Talk) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    connection.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn refused(what: &str) -> Failure {
    Failure::Proxy(Refusal { what: what.to_owned(), passing: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::proxy::Via;
    use std::io::{Cursor, Read};

    /// What a proxy says, and what it was told.
    struct Script(Cursor<Vec<u8>>, Vec<u8>);

    impl Talk for Script {
        fn write_all(&mut self, bytes: &[u8]) -> Result<(), Failure> {
            self.1.extend(bytes);
            Ok(())
        }

        fn read_exact(&mut self, buf: &mut [u8]) -> Result<(), Failure> {
            self.0.read_exact(buf).map_err(|_| Failure::Closed)
        }
    }

    fn spoken(url: &str, host: &str, said: &[u8]) -> (Result<(), Failure>, Vec<u8>) {
        let mut script = Script(Cursor::new(said.to_vec()), Vec::new());
        let via = Via::parse(url).expect("a proxy");
        let outcome = connect(&mut script, via.credentials.as_ref(), host, 0x1234);
        (outcome, script.1)
    }

    #[test]
    fn names_and_addresses_are_asked_for_as_the_rfc_says() {
        let granted = [5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 5, 6];
        let (outcome, told) = spoken("socks5://p", "api.nomyo.ai", &granted);
        assert!(outcome.is_ok());
        assert_eq!(told, [&[5, 1, 0, 5, 1, 0, 3, 12][..], b"api.nomyo.ai", &[0x12, 0x34]].concat());
        let (_, told) = spoken("socks5://p", "10.0.0.1", &granted);
        assert_eq!(told[3..], [5, 1, 0, 1, 10, 0, 0, 1, 0x12, 0x34]);
        let (_, told) = spoken("socks5://p", "[::1]", &granted);
        assert_eq!(told[3..7], [5, 1, 0, 4]);
        assert_eq!(told.len(), 3 + 4 + 16 + 2);
        for bound in [[&[3, 2][..], b"xy12"].concat(), [&[4][..], &[0; 18]].concat()] {
            let said = [&[5, 0, 5, 0, 0][..], &bound].concat();
            assert!(spoken("socks5://p", "x", &said).0.is_ok(), "{bound:?}");
        }
    }

    #[test]
    fn the_password_is_given_only_when_it_is_asked_for() {
        let (outcome, told) = spoken("socks5://me:p%20w@p", "x", &[5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert!(outcome.is_ok());
        assert_eq!(told[..14], *b"\x05\x02\x00\x02\x01\x02me\x03p w\x05\x01");
        let (outcome, told) = spoken("socks5://me:pw@p", "x", &[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert!(outcome.is_ok() && !told.windows(2).any(|two| two == b"pw"));
    }

    #[test]
    fn a_refusal_says_what_to_do_and_whether_it_may_pass() {
        let refusal = |url, said: &[u8]| match spoken(url, "x", said).0.expect_err("refused") {
            Failure::Proxy(refusal) => (refusal.what, refusal.passing),
            other => panic!("{other:?}"),
        };
        assert!(refusal("socks5://p", &[5, 255]).0.contains("user name"));
        assert!(refusal("socks5://p", &[5, 2]).0.contains("user name"));
        assert!(refusal("socks5://me:pw@p", &[5, 2, 1, 1]).0.contains("does not accept"));
        assert!(refusal("socks5://p", b"HTTP").0.contains("no SOCKS5 proxy"));
        for (code, passing) in
            [(1, true), (2, false), (3, true), (4, true), (5, true), (6, true), (7, false), (9, true)]
        {
            assert_eq!(refusal("socks5://p", &[5, 0, 5, code, 0, 1]).1, passing, "{code}");
        }
        assert!(matches!(spoken("socks5://p", "x", &[5]).0, Err(Failure::Closed)));
    }
}

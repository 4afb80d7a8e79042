//! The addresses of a name, from the system's resolver, without waiting for it any longer than the call may.
//!
//! The system's resolver alone knows what this machine is configured to (hosts file, name services, search domains), and
//! it cannot be interrupted or given a deadline. So it is asked on a thread of its own, one for a name at a time, which
//! holds nothing but the name. A call that is cancelled or out of time leaves it behind; it ends when the resolver gives
//! up, and touches nothing else. An address in place of a name needs none of this.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use dns_lookup::{AddrInfoHints, LookupErrorKind, getaddrinfo};

use super::cancel;
use super::limit::Limit;
use crate::thread::on_a_thread;

/// How long a wait goes without asking whether the call is still wanted.
const PATIENCE: Duration = Duration::from_millis(25);

/// What the thread and those who wait for it share.
#[derive(Debug, Default)]
struct Lookup {
    found: Mutex<Option<Result<Vec<SocketAddr>, NoAddress>>>,
    done: Condvar,
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq)]
enum NoAddress {
    /// The name does not exist, or has no address.
    Unknown,
    /// The name service does not say, for now.
    Unanswered,
}

/// A name service that did not answer. The next attempt may find it otherwise.
#[derive(Debug)]
pub(super) struct Unanswered;

impl Display for Unanswered {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the name service did not answer")
    }
}

impl std::error::Error for Unanswered {}

/// The lookups of one client that are under way.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    under_way: Mutex<Vec<(String, u16, Weak<Lookup>)>>,
}

impl Resolver {
    /// The addresses of `host`, a name or an address (in brackets, when it is of version 6).
    pub(super) fn addresses(&self, host: &str, port: u16, limit: Limit) -> Result<Vec<SocketAddr>, ureq::Error> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        self.wait_for(&self.lookup(bare, port), limit)
    }

    /// The lookup of this name that is under way, or a new one.
    fn lookup(&self, host: &str, port: u16) -> Arc<Lookup> {
        let mut under_way = lock(&self.under_way);
        under_way.retain(|(.., lookup)| lookup.strong_count() > 0);
        let same = under_way.iter().find(|(other, at, _)| other == host && *at == port);
        if let Some(lookup) = same.and_then(|(.., lookup)| lookup.upgrade()) {
            return lookup;
        }
        let lookup = Arc::new(Lookup::default());
        under_way.push((host.to_owned(), port, Arc::downgrade(&lookup)));
        drop(under_way);
        let (asking, name) = (lookup.clone(), host.to_owned());
        if on_a_thread("nomyo-resolver", move || asking.ask(&name, port)).is_err() {
            // Where no thread may be started, the call waits as long as the resolver takes.
            lookup.ask(host, port);
        }
        lookup
    }

    fn wait_for(&self, lookup: &Lookup, limit: Limit) -> Result<Vec<SocketAddr>, ureq::Error> {
        let mut found = lock(&lookup.found);
        loop {
            match &*found {
                Some(Ok(addresses)) => return Ok(addresses.clone()),
                Some(Err(NoAddress::Unknown)) => return Err(ureq::Error::HostNotFound),
                Some(Err(NoAddress::Unanswered)) => return Err(ureq::Error::Other(Unanswered.into())),
                None if cancel::still_wanted().is_err() => {
                    return Err(cancel::interrupted());
                }
                None => {
                    let most = limit.left()?.min(PATIENCE);
                    found = lookup.done.wait_timeout(found, most).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

impl Lookup {
    fn ask(&self, host: &str, port: u16) {
        *lock(&self.found) = Some(addresses_of(host, port));
        self.done.notify_all();
    }
}

/// Asks the system's resolver, and waits for it.
fn addresses_of(host: &str, port: u16) -> Result<Vec<SocketAddr>, NoAddress> {
    let hints = AddrInfoHints { socktype: libc::SOCK_STREAM, ..AddrInfoHints::default() };
    let found = getaddrinfo(Some(host), None, Some(hints)).map_err(|e| match e.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData | LookupErrorKind::Fail => NoAddress::Unknown,
        _ => NoAddress::Unanswered,
    })?;
    // What is neither version of IP is left out.
    let mut addresses: Vec<_> = found.filter_map(|info| info.ok().map(|info| info.sockaddr)).collect();
    addresses.iter_mut().for_each(|address| address.set_port(port));
    if addresses.is_empty() { Err(NoAddress::Unknown) } else { Ok(addresses) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Status};
    use crate::transport::Cancel;
    use std::time::Instant;
    use ureq::Timeout;
    use ureq::unversioned::transport::{NextTimeout, time};

    fn within(ms: u64) -> Limit {
        let after = time::Duration::from_millis(ms);
        Limit::of(NextTimeout { after, reason: Timeout::Connect, ..NextTimeout::default() })
    }

    /// A resolver whose lookup of `name` never ends.
    fn stuck(name: &str) -> (Resolver, Arc<Lookup>) {
        let (resolver, lookup) = (Resolver::default(), Arc::new(Lookup::default()));
        lock(&resolver.under_way).push((name.to_owned(), 1, Arc::downgrade(&lookup)));
        (resolver, lookup)
    }

    #[test]
    fn addresses_are_taken_as_they_are_and_names_are_looked_up() {
        let resolver = Resolver::default();
        for (host, address) in [("127.0.0.1", "127.0.0.1:7"), ("[::1]", "[::1]:7")] {
            let found = resolver.addresses(host, 7, within(0)).expect("no lookup, so no time");
            assert_eq!(found, [address.parse().expect("an address")]);
        }
        let found = resolver.addresses("localhost", 7, within(60_000)).expect("a name that every machine has");
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 7), "{found:?}");
        let none = resolver.addresses("nobody.invalid", 7, within(60_000));
        // A machine without a network does not know that there is no such name.
        assert!(matches!(none, Err(ureq::Error::HostNotFound | ureq::Error::Other(_))), "{none:?}");
    }

    #[test]
    fn a_resolver_that_does_not_answer_is_waited_for_within_the_limit() {
        let (resolver, lookup) = stuck("slow");
        let late = resolver.addresses("slow", 1, within(30));
        assert!(matches!(late, Err(ureq::Error::Timeout(Timeout::Connect))));
        *lock(&lookup.found) = Some(Ok(vec![SocketAddr::from(([127, 0, 0, 1], 1))]));
        assert_eq!(resolver.addresses("slow", 1, within(30)).expect("the same lookup").len(), 1);
        *lock(&lookup.found) = Some(Err(NoAddress::Unknown));
        assert!(matches!(resolver.addresses("slow", 1, within(30)), Err(ureq::Error::HostNotFound)));
        *lock(&lookup.found) = Some(Err(NoAddress::Unanswered));
        assert!(
            matches!(resolver.addresses("slow", 1, within(30)), Err(ureq::Error::Other(e)) if e.is::<Unanswered>())
        );
    }

    #[test]
    fn a_cancelled_call_does_not_wait_for_the_resolver() {
        let (resolver, _lookup) = stuck("slow");
        let (cancel, start) = (Cancel::new(), Instant::now());
        let call = || {
            let failed = |e: ureq::Error| Error::new(Status::Connection, e.to_string());
            cancel.during(|| resolver.addresses("slow", 1, within(600_000)).map_err(failed))
        };
        std::thread::scope(|scope| {
            let call = scope.spawn(call);
            std::thread::sleep(Duration::from_millis(50));
            cancel.trigger();
            assert_eq!(call.join().expect("no panic").expect_err("cancelled").status(), Status::Cancelled);
        });
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}

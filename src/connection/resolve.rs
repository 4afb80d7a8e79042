//! The addresses of a name, from the system's resolver, without waiting for it any longer than the call may.
//!
//! The system's resolver alone knows what this machine is configured to (hosts file, name services, search domains), and
//! it cannot be interrupted or given a deadline. So it is asked on a thread of its own, one for a name at a time, which
//! holds nothing but the name. A call that is cancelled or out of time leaves it behind; it ends when the resolver gives
//! up, and touches nothing else. An address in place of a name needs none of this.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use dns_lookup::{AddrInfoHints, LookupErrorKind, getaddrinfo};

use super::failure::Failure;
use super::stage::Stage;
use super::step::Step;
use crate::memory;
use crate::thread::on_a_thread;
use crate::wait::waited;

/// The longest wait that does not look at the cancel.
const SLICE: Duration = Duration::from_millis(25);

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

/// The lookups of one client that are under way.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    under_way: Mutex<Vec<(String, u16, Weak<Lookup>)>>,
}

impl Resolver {
    /// The addresses of `host`, a name or an address (in brackets, when it is of version 6).
    pub(super) fn addresses(&self, host: &str, port: u16, step: &Step<'_>) -> Result<Vec<SocketAddr>, Failure> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        step.enters(Stage::Resolving);
        self.wait_for(&self.lookup(bare, port), step)
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
            // If the system has no more threads, the call waits as long as the resolver takes.
            memory::outside(|| lookup.ask(host, port));
        }
        lookup
    }

    fn wait_for(&self, lookup: &Lookup, step: &Step<'_>) -> Result<Vec<SocketAddr>, Failure> {
        let mut found = lock(&lookup.found);
        loop {
            match &*found {
                Some(Ok(addresses)) => return Ok(addresses.clone()),
                Some(Err(NoAddress::Unknown)) => return Err(Failure::UnknownName),
                Some(Err(NoAddress::Unanswered)) => return Err(Failure::SilentNameService),
                None => {
                    let most = step.left()?.min(SLICE);
                    found = waited(&lookup.done, found, most);
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
    let hints = AddrInfoHints { socktype: dns_lookup::SockType::Stream.into(), ..AddrInfoHints::default() };
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
    use crate::error::Status;
    use crate::wait::{Cancel, Wait};

    fn addresses(resolver: &Resolver, host: &str, port: u16, ms: u64) -> Result<Vec<SocketAddr>, Failure> {
        let wait = Wait::patient();
        resolver.addresses(host, port, &Step::new(&wait, "a test").within(Duration::from_millis(ms)))
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
            let found = addresses(&resolver, host, 7, 0).expect("no lookup, so no time");
            assert_eq!(found, [address.parse().expect("an address")]);
        }
        let found = addresses(&resolver, "localhost", 7, 60_000).expect("a name that every machine has");
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 7), "{found:?}");
        let none = addresses(&resolver, "nobody.invalid", 7, 60_000);
        // A machine without a network does not know that there is no such name.
        assert!(matches!(none, Err(Failure::UnknownName | Failure::SilentNameService)), "{none:?}");
    }

    #[test]
    fn a_resolver_that_does_not_answer_is_waited_for_within_the_limit() {
        let (resolver, lookup) = stuck("slow");
        let late = addresses(&resolver, "slow", 1, 30);
        assert!(matches!(late, Err(Failure::TooSlow(Stage::Resolving))));
        *lock(&lookup.found) = Some(Ok(vec![SocketAddr::from(([127, 0, 0, 1], 1))]));
        assert_eq!(addresses(&resolver, "slow", 1, 30).expect("the same lookup").len(), 1);
        *lock(&lookup.found) = Some(Err(NoAddress::Unknown));
        assert!(matches!(addresses(&resolver, "slow", 1, 30), Err(Failure::UnknownName)));
        *lock(&lookup.found) = Some(Err(NoAddress::Unanswered));
        assert!(matches!(addresses(&resolver, "slow", 1, 30), Err(Failure::SilentNameService)));
    }

    #[test]
    fn a_cancelled_call_does_not_wait_for_the_resolver() {
        let (resolver, _lookup) = stuck("slow");
        let cancel = Cancel::new();
        let wait = Wait::new(Duration::from_secs(600), Some(&cancel));
        std::thread::scope(|scope| {
            let call = scope.spawn(|| resolver.addresses("slow", 1, &Step::new(&wait, "a test")));
            std::thread::sleep(Duration::from_millis(50));
            cancel.trigger();
            let Err(Failure::Stopped(error)) = call.join().expect("no panic") else { panic!("it is cancelled") };
            assert_eq!(error.status(), Status::Cancelled);
        });
    }
}

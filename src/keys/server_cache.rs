//! The server's key, fetched by one thread at a time and kept for a while.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ServerKey;
use crate::error::{Error, Result, Status};

/// How long a waiter waits before it asks whether it is still wanted.
const PATIENCE: Duration = Duration::from_millis(50);

/// Fetches are numbered, so that whoever waited for one knows its failure from that of another.
enum State {
    Empty,
    Fetching(u64),
    Failed(u64, Error),
    Ready(Arc<ServerKey>, Instant),
}

/// The key, or the promise of the one thread that fetches it.
pub(crate) struct ServerCache {
    time_to_live: Duration,
    state: Mutex<State>,
    changed: Condvar,
    fetches: AtomicU64,
}

impl ServerCache {
    /// Empty. A key is used for `time_to_live` without asking again.
    pub(crate) fn new(time_to_live: Duration) -> ServerCache {
        ServerCache {
            time_to_live,
            state: Mutex::new(State::Empty),
            changed: Condvar::new(),
            fetches: AtomicU64::new(0),
        }
    }

    /// The key. Calls `fetch` when there is none, it is stale, or it is `failed`, unless another thread is doing so: then
    /// waits for that one, at most until `deadline`, and only as long as `still_wanted` does not fail. When a fetch fails,
    /// so do those who waited for it, unless it failed for a reason of its caller's: then one of them tries next.
    pub(crate) fn get(
        &self,
        failed: Option<&Arc<ServerKey>>,
        deadline: Instant,
        still_wanted: impl Fn() -> Result<()>,
        fetch: impl FnOnce() -> Result<ServerKey>,
    ) -> Result<Arc<ServerKey>> {
        let good = |key: &Arc<ServerKey>| failed.is_none_or(|failed| !Arc::ptr_eq(key, failed));
        let mut state = self.lock();
        let mut waited_for = None;
        loop {
            match &*state {
                State::Ready(key, since) if since.elapsed() < self.time_to_live && good(key) => return Ok(key.clone()),
                State::Failed(fetch, error) if waited_for == Some(*fetch) => return Err(error.clone()),
                State::Fetching(fetch) => {
                    waited_for = Some(*fetch);
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(Error::new(
                            Status::Timeout,
                            "the deadline passed while another thread fetched the server's key; allow more time",
                        ));
                    }
                    still_wanted()?;
                    state =
                        self.changed.wait_timeout(state, left.min(PATIENCE)).unwrap_or_else(PoisonError::into_inner).0;
                }
                _ => break,
            }
        }
        let number = self.fetches.fetch_add(1, Ordering::Relaxed);
        *state = State::Fetching(number);
        drop(state);
        let mut turn = Turn { cache: self, outcome: State::Empty };
        match fetch() {
            Ok(key) => {
                let key = Arc::new(key);
                turn.outcome = State::Ready(key.clone(), Instant::now());
                Ok(key)
            }
            Err(error) => {
                if would_meet_others(&error, deadline) {
                    turn.outcome = State::Failed(number, error.clone());
                }
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a fetch that failed so would have failed for another caller: what the network and the server did, and not that
/// its own caller gave up or ran out of time or memory.
fn would_meet_others(error: &Error, deadline: Instant) -> bool {
    match error.status() {
        Status::Cancelled | Status::Forked | Status::Memory | Status::Internal => false,
        Status::Timeout => Instant::now() < deadline,
        _ => true,
    }
}

/// One thread's turn to fetch: however it ends, by error or panic too, the others are let on.
struct Turn<'a> {
    cache: &'a ServerCache,
    outcome: State,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.cache.lock() = std::mem::replace(&mut self.outcome, State::Empty);
        self.cache.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    fn key() -> Result<ServerKey> {
        let path = format!("{}/tests/fixtures/protocol/keys/server_public.pem", env!("CARGO_MANIFEST_DIR"));
        ServerKey::from_pem(&std::fs::read(path).expect("a fixture"))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn sixteen_threads_fetch_once() {
        let (cache, fetches) = (ServerCache::new(Duration::from_secs(60)), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let fetch = || {
                        fetches.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(20));
                        key()
                    };
                    cache.get(None, soon(), || Ok(()), fetch).map(|_| ()).expect("a key")
                });
            }
        });
        assert_eq!(fetches.into_inner(), 1);
    }

    #[test]
    fn a_key_is_kept_for_its_time_and_not_when_it_has_failed() {
        let cache = ServerCache::new(Duration::from_secs(60));
        let first = cache.get(None, soon(), || Ok(()), key).expect("a key");
        let same = cache.get(None, soon(), || Ok(()), || panic!("not stale")).expect("the same");
        assert!(Arc::ptr_eq(&first, &same));
        let other = cache.get(Some(&first), soon(), || Ok(()), key).expect("another");
        assert!(!Arc::ptr_eq(&first, &other));
        // Somebody else has fetched it by then.
        let other_again = cache.get(Some(&first), soon(), || Ok(()), || panic!("it is there")).expect("the other");
        assert!(Arc::ptr_eq(&other, &other_again));
        let never = ServerCache::new(Duration::ZERO);
        let one = never.get(None, soon(), || Ok(()), key).expect("a key");
        assert!(!Arc::ptr_eq(&one, &never.get(None, soon(), || Ok(()), key).expect("a key")));
    }

    #[test]
    fn a_failed_fetch_or_a_panic_lets_the_next_caller_try() {
        let cache = ServerCache::new(Duration::from_secs(60));
        let failed = cache.get(None, soon(), || Ok(()), || Err(Error::new(Status::Connection, "down")));
        assert_eq!(failed.err().expect("an error").status(), Status::Connection);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cache.get(None, soon(), || Ok(()), || panic!("a bug"))
        }));
        assert!(panicked.is_err());
        assert!(cache.get(None, soon(), || Ok(()), key).is_ok());
    }

    /// How many of 16 threads that want the key at once fetch it, when every fetch fails so.
    fn fetches_that_fail(status: Status) -> u32 {
        let (cache, fetches) = (ServerCache::new(Duration::from_secs(60)), AtomicU32::new(0));
        let all_here = std::sync::Barrier::new(16);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let fetch = || {
                        fetches.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(200));
                        Err(Error::new(status, "down"))
                    };
                    all_here.wait();
                    let error = cache.get(None, soon(), || Ok(()), fetch).err().expect("it fails");
                    assert_eq!(error.status(), status);
                });
            }
        });
        fetches.into_inner()
    }

    #[test]
    fn whoever_waits_for_a_fetch_that_fails_fails_with_it() {
        // A thread that comes late begins another.
        assert!(fetches_that_fail(Status::Connection) < 16);
        assert!(fetches_that_fail(Status::Pin) < 16);
    }

    #[test]
    fn a_fetch_that_its_caller_gave_up_does_not_fail_the_others() {
        assert_eq!(fetches_that_fail(Status::Cancelled), 16);
    }

    #[test]
    fn a_waiter_gives_up_at_its_own_deadline() {
        let cache = ServerCache::new(Duration::from_secs(60));
        *cache.lock() = State::Fetching(7);
        let error = cache.get(None, Instant::now(), || Ok(()), key).err().expect("no time left");
        assert_eq!(error.status(), Status::Timeout);
    }

    #[test]
    fn a_waiter_that_is_not_wanted_any_more_gives_up() {
        let cache = ServerCache::new(Duration::from_secs(60));
        *cache.lock() = State::Fetching(7);
        let error =
            cache.get(None, soon(), || Err(Error::new(Status::Cancelled, "no")), key).err().expect("not wanted");
        assert_eq!(error.status(), Status::Cancelled);
    }
}

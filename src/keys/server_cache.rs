//! The server's key, fetched by one thread at a time and kept for a while.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ServerKey;
use crate::error::{Error, Result, Status};
use crate::memory::OwnProcess;
use crate::wait::Wait;

/// A timeout with less time left than this counts as the fetching call's own: clocks of the system are coarse.
const OWN_DEADLINE: Duration = Duration::from_millis(50);

enum Outcome {
    Empty,
    Fetching,
    Failed(Error),
    Ready(Arc<ServerKey>, Instant),
}

struct State {
    /// The number of the latest fetch.
    fetch: u64,
    /// The outcome of the latest fetch.
    outcome: Outcome,
}

/// The key, or the promise of the one thread that fetches it.
pub(crate) struct ServerCache {
    time_to_live: Duration,
    /// A forked child must not use it: at the fork, another thread may have held the lock with a half-changed state.
    state: OwnProcess<Mutex<State>>,
    changed: Condvar,
}

impl ServerCache {
    /// Empty. A key is used for `time_to_live` without asking again.
    pub(crate) fn new(time_to_live: Duration) -> ServerCache {
        let state = OwnProcess::new(Mutex::new(State { fetch: 0, outcome: Outcome::Empty }));
        ServerCache { time_to_live, state, changed: Condvar::new() }
    }

    /// The key. Calls `fetch` if there is none, it is stale, or it is `failed`. If another thread fetches, waits for that
    /// fetch as long as `wait` allows.
    ///
    /// The call uses the outcome of any fetch that was under way when the call began or that began later, however short the
    /// time to live is. A failure that only concerns the fetching call is not used: then one of the waiting calls fetches.
    pub(crate) fn get(
        &self,
        failed: Option<&Arc<ServerKey>>,
        wait: &Wait,
        fetch: impl FnOnce() -> Result<ServerKey>,
    ) -> Result<Arc<ServerKey>> {
        let good = |key: &Arc<ServerKey>| failed.is_none_or(|failed| !Arc::ptr_eq(key, failed));
        let mut state = self.lock();
        let first = state.fetch + u64::from(!matches!(state.outcome, Outcome::Fetching));
        loop {
            let is_recent = state.fetch >= first;
            match &state.outcome {
                Outcome::Ready(key, since) if good(key) && (is_recent || since.elapsed() < self.time_to_live) => {
                    return Ok(key.clone());
                }
                Outcome::Failed(error) if is_recent => return Err(error.clone()),
                Outcome::Fetching => {
                    state = wait.on(&self.changed, state, "another thread fetched the server's key")?;
                }
                _ => break,
            }
        }
        state.fetch += 1;
        state.outcome = Outcome::Fetching;
        drop(state);
        let mut turn = Turn { cache: self, outcome: Outcome::Empty };
        match fetch() {
            Ok(key) => {
                let key = Arc::new(key);
                turn.outcome = Outcome::Ready(key.clone(), Instant::now());
                Ok(key)
            }
            Err(error) => {
                if concerns_others(&error, wait) {
                    turn.outcome = Outcome::Failed(error.clone());
                }
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.state.get().expect("a call refuses a client of another process first");
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a fetch that failed like this would have failed for another call: yes for the network, the server and the pins;
/// no if the fetching call was cancelled or ran out of time or memory.
fn concerns_others(error: &Error, wait: &Wait) -> bool {
    let is_its_own = match error.status() {
        Status::Cancelled | Status::Forked | Status::Memory | Status::Internal => true,
        // The connect timeout may have passed: that is the network's.
        Status::Timeout => wait.left() < OWN_DEADLINE,
        _ => false,
    };
    !is_its_own && !error.is_cut_short() && !wait.is_cancelled()
}

/// One thread's turn to fetch: however it ends, by error or panic too, the others are let on.
struct Turn<'a> {
    cache: &'a ServerCache,
    outcome: Outcome,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.cache.lock().outcome = std::mem::replace(&mut self.outcome, Outcome::Empty);
        self.cache.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn key() -> Result<ServerKey> {
        let path = format!("{}/tests/fixtures/protocol/keys/server_public.pem", env!("CARGO_MANIFEST_DIR"));
        ServerKey::from_pem(&std::fs::read(path).expect("a fixture"))
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
                    cache.get(None, &Wait::patient(), fetch).map(|_| ()).expect("a key")
                });
            }
        });
        assert_eq!(fetches.into_inner(), 1);
    }

    #[test]
    fn a_key_is_kept_for_its_time_and_not_when_it_has_failed() {
        let cache = ServerCache::new(Duration::from_secs(60));
        let first = cache.get(None, &Wait::patient(), key).expect("a key");
        let same = cache.get(None, &Wait::patient(), || panic!("not stale")).expect("the same");
        assert!(Arc::ptr_eq(&first, &same));
        let other = cache.get(Some(&first), &Wait::patient(), key).expect("another");
        assert!(!Arc::ptr_eq(&first, &other));
        // Somebody else has fetched it by then.
        let other_again = cache.get(Some(&first), &Wait::patient(), || panic!("it is there")).expect("the other");
        assert!(Arc::ptr_eq(&other, &other_again));
        let never = ServerCache::new(Duration::ZERO);
        let one = never.get(None, &Wait::patient(), key).expect("a key");
        assert!(!Arc::ptr_eq(&one, &never.get(None, &Wait::patient(), key).expect("a key")));
    }

    #[test]
    fn a_failed_fetch_or_a_panic_lets_the_next_caller_try() {
        let cache = ServerCache::new(Duration::from_secs(60));
        let failed = cache.get(None, &Wait::patient(), || Err(Error::new(Status::Connection, "down")));
        assert_eq!(failed.err().expect("an error").status(), Status::Connection);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cache.get(None, &Wait::patient(), || panic!("a bug"))
        }));
        assert!(panicked.is_err());
        assert!(cache.get(None, &Wait::patient(), key).is_ok());
    }

    /// How many of 16 calls at once fetch the key, each with `wait`, if a fetch ends with `outcome`.
    fn fetches(cache: &ServerCache, wait: &Wait, outcome: impl Fn() -> Result<ServerKey> + Sync) -> u32 {
        let (fetches, all_here) = (AtomicU32::new(0), std::sync::Barrier::new(16));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let fetch = || {
                        fetches.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(200));
                        outcome()
                    };
                    all_here.wait();
                    let status = |outcome: Result<_>| outcome.err().map(|error| error.status());
                    assert_eq!(status(cache.get(None, wait, fetch).map(|_| ())), status(outcome().map(|_| ())));
                });
            }
        });
        fetches.into_inner()
    }

    fn fetches_that_fail(wait: &Wait, error: impl Fn() -> Error + Sync) -> u32 {
        fetches(&ServerCache::new(Duration::from_secs(60)), wait, || Err(error()))
    }

    #[test]
    fn calls_that_wait_for_a_fetch_that_fails_fail_with_it() {
        // A thread that comes late begins another.
        for status in [Status::Connection, Status::Pin, Status::Timeout] {
            assert!(fetches_that_fail(&Wait::patient(), || Error::new(status, "down")) < 16);
        }
    }

    #[test]
    fn a_fetch_that_only_its_own_call_ended_does_not_fail_the_others() {
        let cancelled = || Error::new(Status::Cancelled, "cancelled");
        assert_eq!(fetches_that_fail(&Wait::patient(), cancelled), 16);
        let cut_short = || Error::new(Status::RateLimit, "no time for a retry").cut_short();
        assert_eq!(fetches_that_fail(&Wait::patient(), cut_short), 16);
        let error = |status| Error::new(status, "the end");
        assert!(!concerns_others(&error(Status::Timeout), &Wait::new(Duration::ZERO, None)));
        let cancel = crate::wait::Cancel::new();
        cancel.trigger();
        assert!(!concerns_others(&error(Status::Connection), &Wait::new(Duration::from_secs(60), Some(&cancel))));
    }

    #[test]
    fn calls_at_once_share_a_fetch_without_any_time_to_live_and_later_calls_fetch_again() {
        let cache = ServerCache::new(Duration::ZERO);
        // A thread that comes late begins another.
        assert!(fetches(&cache, &Wait::patient(), key) <= 3);
        let fetched = AtomicU32::new(0);
        for _ in 0..2 {
            let fetch = || {
                fetched.fetch_add(1, Ordering::Relaxed);
                key()
            };
            cache.get(None, &Wait::patient(), fetch).expect("a key");
        }
        assert_eq!(fetched.into_inner(), 2);
    }

    #[test]
    fn a_waiter_gives_up_at_its_own_deadline() {
        let cache = ServerCache::new(Duration::from_secs(60));
        cache.lock().outcome = Outcome::Fetching;
        let error = cache.get(None, &Wait::new(Duration::ZERO, None), key).err().expect("no time left");
        assert_eq!(error.status(), Status::Timeout);
    }

    #[test]
    fn a_waiter_that_is_not_wanted_any_more_gives_up() {
        let cache = ServerCache::new(Duration::from_secs(60));
        cache.lock().outcome = Outcome::Fetching;
        let cancel = crate::wait::Cancel::new();
        cancel.trigger();
        let wait = Wait::new(Duration::from_secs(60), Some(&cancel));
        let error = cache.get(None, &wait, key).err().expect("not wanted");
        assert_eq!(error.status(), Status::Cancelled);
    }
}

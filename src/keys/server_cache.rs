//! The server's key, fetched by one thread at a time and kept for a while.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ServerKey;
use crate::error::{Error, Result, Status};

/// How long a waiter waits before it asks whether it is still wanted.
const PATIENCE: Duration = Duration::from_millis(50);

enum State {
    Empty,
    Fetching,
    Ready(Arc<ServerKey>, Instant),
}

/// The key, or the promise of the one thread that fetches it.
pub(crate) struct ServerCache {
    time_to_live: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

impl ServerCache {
    /// Empty. A key is used for `time_to_live` without asking again.
    pub(crate) fn new(time_to_live: Duration) -> ServerCache {
        ServerCache { time_to_live, state: Mutex::new(State::Empty), changed: Condvar::new() }
    }

    /// The key. Calls `fetch` when there is none, it is stale, or it is `failed`, unless another thread is doing so: then
    /// waits for that one, at most until `deadline`, and only as long as `still_wanted` does not fail. When a fetch fails
    /// its caller gets the error, and a waiter tries next.
    pub(crate) fn get(
        &self,
        failed: Option<&Arc<ServerKey>>,
        deadline: Instant,
        still_wanted: impl Fn() -> Result<()>,
        fetch: impl FnOnce() -> Result<ServerKey>,
    ) -> Result<Arc<ServerKey>> {
        let good = |key: &Arc<ServerKey>| failed.is_none_or(|failed| !Arc::ptr_eq(key, failed));
        let mut state = self.lock();
        loop {
            match &*state {
                State::Ready(key, since) if since.elapsed() < self.time_to_live && good(key) => return Ok(key.clone()),
                State::Fetching => {
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
        *state = State::Fetching;
        drop(state);
        let mut turn = Turn { cache: self, outcome: State::Empty };
        let key = Arc::new(fetch()?);
        turn.outcome = State::Ready(key.clone(), Instant::now());
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    use std::sync::atomic::{AtomicU32, Ordering};

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

    #[test]
    fn a_waiter_gives_up_at_its_own_deadline() {
        let cache = ServerCache::new(Duration::from_secs(60));
        *cache.lock() = State::Fetching;
        let error = cache.get(None, Instant::now(), || Ok(()), key).err().expect("no time left");
        assert_eq!(error.status(), Status::Timeout);
    }

    #[test]
    fn a_waiter_that_is_not_wanted_any_more_gives_up() {
        let cache = ServerCache::new(Duration::from_secs(60));
        *cache.lock() = State::Fetching;
        let error =
            cache.get(None, soon(), || Err(Error::new(Status::Cancelled, "no")), key).err().expect("not wanted");
        assert_eq!(error.status(), Status::Cancelled);
    }
}

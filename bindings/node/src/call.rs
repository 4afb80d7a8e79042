//! Calls that block: each on a thread of [`threads`], with a promise.
//!
//! A call under way keeps the event loop alive. When its environment ends (the process exits, a worker is terminated)
//! it is cancelled, nobody waits for it, and it ends by itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};
use nomyo::{Cancel, Result};

use crate::mailbox::Mailbox;
use crate::outcome::Outcome;
use crate::promise::Deferred;
use crate::threads::{self, Job, Report, Turn};

const NO_THREAD: &str = "the system has no thread for another call; make fewer at once, or raise the limit (ulimit -u)";

/// Runs `work` on a thread, and settles the promise with how it ended. `cancel` is triggered when the environment ends. While
/// the call waits for a thread, `cancel` and `due` end the wait: `work` is run, and must see that itself.
pub fn start<'env, T, W>(
    env: &'env Env,
    cancel: Option<Cancel>,
    due: Option<Instant>,
    work: W,
) -> napi::Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    W: FnOnce() -> Result<T> + Send + 'static,
{
    let calls = Calls::of(env)?;
    let (deferred, promise) = Deferred::new(env)?;
    calls.begin(env);
    let under_way = cancel.clone().map(|cancel| calls.enter(cancel));
    let run = move |turn| {
        let outcome = match turn {
            Turn::Begins => Outcome::from(work()),
            Turn::NoThread => Outcome::Exhausted(NO_THREAD),
        };
        drop(under_way);
        let report = move || {
            let ending = Arc::clone(&calls);
            calls.mailbox.post(Box::new(move |env| {
                ending.end(env);
                deferred.resolve(env, outcome);
            }));
        };
        Box::new(report) as Report
    };
    threads::run(Job { run: Box::new(run), cancel, due });
    Ok(promise)
}

/// The calls of one environment.
struct Calls {
    mailbox: Mailbox,
    /// How many promises are not settled. Used on the environment's own thread only.
    unsettled: AtomicUsize,
    /// The calls that can be cancelled.
    under_way: Mutex<HashMap<u64, Cancel>>,
    /// The number of the next one.
    next: AtomicU64,
}

impl Calls {
    /// Those of this environment, whose end cancels them.
    fn of(env: &Env) -> napi::Result<Arc<Calls>> {
        if let Some(calls) = env.get_instance_data::<Arc<Calls>>()? {
            return Ok(Arc::clone(calls));
        }
        let calls = Arc::new(Calls {
            mailbox: Mailbox::new(env)?,
            unsettled: AtomicUsize::new(0),
            under_way: Mutex::default(),
            next: AtomicU64::new(0),
        });
        env.set_instance_data(Arc::clone(&calls), (), |_| ())?;
        // Hooks run from the last to the first: this one before Node's own, which frees the queue of the mailbox.
        env.add_env_cleanup_hook(Arc::clone(&calls), |calls| {
            calls.mailbox.close();
            calls.cancel();
        })?;
        Ok(calls)
    }

    /// Keeps the event loop alive until as many calls have ended as have begun.
    fn begin(&self, env: &Env) {
        if self.unsettled.fetch_add(1, Ordering::Relaxed) == 0 {
            self.mailbox.keep_alive(env, true);
        }
    }

    fn end(&self, env: &Env) {
        if self.unsettled.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.mailbox.keep_alive(env, false);
        }
    }

    fn enter(self: &Arc<Self>, cancel: Cancel) -> UnderWay {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.under_way).insert(number, cancel);
        UnderWay { calls: Arc::clone(self), number }
    }

    fn cancel(&self) {
        lock(&self.under_way).values().for_each(Cancel::trigger);
    }
}

/// Counts a call until it ends.
struct UnderWay {
    calls: Arc<Calls>,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.calls.under_way).remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

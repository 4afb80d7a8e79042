//! Calls that block: each on a thread of its own, with a promise.
//!
//! Not on libuv's threads: there are four, which the process needs for files, names and passwords, and a chat may take
//! minutes.
//!
//! A call under way keeps the event loop alive. When its environment ends (the process exits, a worker is terminated)
//! it is cancelled, nobody waits for it, and its thread ends by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, JsDeferred};
use nomyo::boundary::on_a_thread;
use nomyo::{Cancel, Result};

use crate::outcome::Outcome;

type Settle<T> = Box<dyn FnOnce(Env) -> napi::Result<Outcome<T>> + Send>;
type Deferred<T> = JsDeferred<Outcome<T>, Settle<T>>;

/// Runs `work` on a thread, and settles the promise with how it ended. `cancel` is triggered when the environment ends.
pub fn start<'env, T, W>(env: &'env Env, cancel: Option<Cancel>, work: W) -> napi::Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    W: FnOnce() -> Result<T> + Send + 'static,
{
    let under_way = cancel.map(|cancel| Calls::of(env).map(|calls| calls.enter(cancel))).transpose()?;
    let (deferred, promise): (Deferred<T>, _) = env.create_deferred()?;
    // The thread takes it, or whoever could not start the thread.
    let unsettled = Arc::new(Mutex::new(Some(deferred)));
    let theirs = Arc::clone(&unsettled);
    let started = on_a_thread("nomyo-call", move || {
        let outcome = Outcome::from(work());
        drop(under_way);
        settle(&theirs, outcome);
    });
    if started.is_err() {
        let why = "the system has no thread for another call; make fewer at once, or raise the limit (ulimit -u)";
        settle(&unsettled, Outcome::Exhausted(why));
    }
    Ok(promise)
}

/// From any thread. Does nothing when the environment has ended.
fn settle<T: ToNapiValue + Send + 'static>(unsettled: &Mutex<Option<Deferred<T>>>, outcome: Outcome<T>) {
    if let Some(deferred) = lock(unsettled).take() {
        deferred.resolve(Box::new(move |_| Ok(outcome)));
    }
}

/// The calls of one environment that can be cancelled.
#[derive(Default)]
struct Calls {
    under_way: Mutex<HashMap<u64, Cancel>>,
    /// The number of the next one.
    next: Mutex<u64>,
}

impl Calls {
    /// Those of this environment, whose end cancels them.
    fn of(env: &Env) -> napi::Result<Arc<Calls>> {
        if let Some(calls) = env.get_instance_data::<Arc<Calls>>()? {
            return Ok(Arc::clone(calls));
        }
        let calls = Arc::new(Calls::default());
        env.set_instance_data(Arc::clone(&calls), (), |ended| ended.value.cancel())?;
        Ok(calls)
    }

    fn enter(self: Arc<Self>, cancel: Cancel) -> UnderWay {
        let mut next = lock(&self.next);
        let number = *next;
        *next += 1;
        drop(next);
        lock(&self.under_way).insert(number, cancel);
        UnderWay { calls: self, number }
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

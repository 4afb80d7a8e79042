//! The way from any thread to the event loop of one environment: one queue of Node-API for all calls.

use std::ffi::c_void;
use std::sync::{PoisonError, RwLock};

use napi::{Env, check_status, sys};

/// Runs on the event loop. Dropped unopened, on any thread, if the environment ends before.
pub type Letter = Box<dyn FnOnce(&Env) + Send>;

/// Takes letters until it is closed. Does not keep the event loop alive unless it is told to.
pub struct Mailbox {
    queue: Queue,
    /// A thread that posts holds this for reading, and `close` for writing, so that the event loop waits for it only to close. A
    /// mutex would make the event loop wait for a thread that woke it and lost its processor to it: for up to a second.
    is_open: RwLock<bool>,
}

struct Queue(sys::napi_threadsafe_function);

// SAFETY: Node-API lets any thread call a thread-safe function; `Mailbox` ends all use before the environment ends.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Mailbox {
    pub fn new(env: &Env) -> napi::Result<Mailbox> {
        let name = env.create_string("nomyo")?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the environment's own thread. `deliver` takes what `post` gives, and there is nothing to finalize.
        check_status!(unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                napi::JsValue::raw(&name),
                0,
                1,
                std::ptr::null_mut(),
                None,
                std::ptr::null_mut(),
                Some(deliver),
                &raw mut raw,
            )
        })?;
        let mailbox = Mailbox { queue: Queue(raw), is_open: RwLock::new(true) };
        mailbox.keep_alive(env, false);
        Ok(mailbox)
    }

    /// Sends a letter to the event loop, from any thread. Drops the letter if the mailbox is closed.
    pub fn post(&self, letter: Letter) {
        let is_open = self.is_open.read().unwrap_or_else(PoisonError::into_inner);
        if !*is_open {
            return;
        }
        let letter = Box::into_raw(Box::new(letter)).cast::<c_void>();
        let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
        // SAFETY: not closed, and `close` waits for the lock.
        let status = unsafe { sys::napi_call_threadsafe_function(self.queue.0, letter, mode) };
        drop(is_open);
        if status != sys::Status::napi_ok {
            // SAFETY: from `into_raw` above; Node has not taken it.
            drop(unsafe { Box::from_raw(letter.cast::<Letter>()) });
        }
    }

    /// Whether the event loop lives on while it has nothing else to do. On the environment's own thread. Does nothing if the mailbox is
    /// closed.
    pub fn keep_alive(&self, env: &Env, yes: bool) {
        // Does not block, and fails for no other reason: `close` runs on this thread alone.
        if !self.is_open.try_read().is_ok_and(|is_open| *is_open) {
            return;
        }
        // SAFETY: not closed, and the environment's own thread. The status is an error only for a NULL.
        unsafe {
            if yes {
                sys::napi_ref_threadsafe_function(env.raw(), self.queue.0);
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), self.queue.0);
            }
        }
    }

    /// Takes no more letters. On the environment's own thread, before Node frees the queue.
    pub fn close(&self) {
        let mut is_open = self.is_open.write().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *is_open, false) {
            // SAFETY: no thread uses it any more.
            unsafe { sys::napi_release_threadsafe_function(self.queue.0, sys::ThreadsafeFunctionReleaseMode::abort) };
        }
    }
}

/// Called by Node on the event loop with each letter; without an environment if that is ending.
unsafe extern "C" fn deliver(env: sys::napi_env, _: sys::napi_value, _: *mut c_void, letter: *mut c_void) {
    // SAFETY: from `into_raw` in `post`, and Node calls this once.
    let letter = unsafe { Box::from_raw(letter.cast::<Letter>()) };
    if !env.is_null() {
        letter(&Env::from_raw(env));
    }
}

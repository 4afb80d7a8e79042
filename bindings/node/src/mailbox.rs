//! The way from any thread to the event loop of one environment: one queue of Node-API for all calls.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use napi::{Env, check_status, sys};

/// Runs on the event loop. Dropped unopened, on any thread, if the environment ends before.
pub type Letter = Box<dyn FnOnce(&Env) + Send>;

/// Takes letters until it is closed. Does not keep the event loop alive unless it is told to.
pub struct Mailbox {
    queue: Mutex<Option<Queue>>,
}

struct Queue(sys::napi_threadsafe_function);

// SAFETY: Node-API lets any thread call a thread-safe function; `Mailbox` ends all use before the environment ends.
unsafe impl Send for Queue {}

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
        let mailbox = Mailbox { queue: Mutex::new(Some(Queue(raw))) };
        mailbox.keep_alive(env, false);
        Ok(mailbox)
    }

    /// Sends a letter to the event loop, from any thread. Drops the letter if the mailbox is closed.
    pub fn post(&self, letter: Letter) {
        let queue = self.lock();
        let Some(Queue(raw)) = *queue else { return };
        let letter = Box::into_raw(Box::new(letter)).cast::<c_void>();
        // SAFETY: not closed, and `close` waits for the lock.
        let status =
            unsafe { sys::napi_call_threadsafe_function(raw, letter, sys::ThreadsafeFunctionCallMode::nonblocking) };
        drop(queue);
        if status != sys::Status::napi_ok {
            // SAFETY: from `into_raw` above; Node has not taken it.
            drop(unsafe { Box::from_raw(letter.cast::<Letter>()) });
        }
    }

    /// Whether the event loop lives on while it has nothing else to do. On the environment's own thread.
    pub fn keep_alive(&self, env: &Env, yes: bool) {
        let Some(Queue(raw)) = *self.lock() else { return };
        // SAFETY: not closed, and the environment's own thread. The status is an error only for a NULL.
        unsafe {
            if yes {
                sys::napi_ref_threadsafe_function(env.raw(), raw);
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), raw);
            }
        }
    }

    /// Takes no more letters. On the environment's own thread, before Node frees the queue.
    pub fn close(&self) {
        let Some(Queue(raw)) = self.lock().take() else { return };
        // SAFETY: taken out, so that nobody uses it any more.
        unsafe { sys::napi_release_threadsafe_function(raw, sys::ThreadsafeFunctionReleaseMode::abort) };
    }

    fn lock(&self) -> MutexGuard<'_, Option<Queue>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
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

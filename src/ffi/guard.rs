//! The only way out to C: no panic crosses it, and none is printed.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::ptr::null_mut;
use std::sync::Once;

use super::error_handle::nomyo_error;
use super::status::NOMYO_OK;
use crate::error::{Error, Result};
use crate::memory::{self, fork_gate};
use crate::thread;

/// Runs the body of a function that can fail, in a scope for work on secrets. On failure `err`, unless NULL, receives the error.
pub(super) fn guard(err: *mut *mut nomyo_error, body: impl FnOnce() -> Result<()>) -> i32 {
    guard_or_poison(err, body, || {})
}

/// As [`guard`], and runs `poison` when the body panics.
pub(super) fn guard_or_poison(
    err: *mut *mut nomyo_error,
    body: impl FnOnce() -> Result<()>,
    poison: impl FnOnce(),
) -> i32 {
    let status = memory::inside(|| match survived(body, poison) {
        Ok(()) => NOMYO_OK,
        Err(error) => give(error, err),
    });
    status.unwrap_or_else(|error| memory::undisturbed(|| give(error, err)))
}

/// As [`guard`], for a body that touches no secret. It runs on the caller's stack.
pub(super) fn guard_plain(err: *mut *mut nomyo_error, body: impl FnOnce() -> Result<()>) -> i32 {
    memory::undisturbed(|| match survived(body, || {}) {
        Ok(()) => NOMYO_OK,
        Err(error) => give(error, err),
    })
}

/// The status of `error`, which `err`, unless NULL, receives.
fn give(error: Error, err: *mut *mut nomyo_error) -> i32 {
    let code = error.status().code();
    if !err.is_null() {
        let handle = Box::into_raw(Box::new(nomyo_error::new(error)));
        // SAFETY: the caller promises that `err`, unless NULL, is a writable pointer (nomyo.h, Conventions).
        unsafe { err.write(handle) };
    }
    code
}

/// The outcome of a body that may work on secrets. A panic is [`Status::Internal`](crate::Status::Internal), after `poison`
/// has run.
pub(crate) fn contained<T>(body: impl FnOnce() -> Result<T>, poison: impl FnOnce()) -> Result<T> {
    // Each is one pointer. A `Result` has room for more, and would bring along what was on the vault's stack there.
    let (mut value, mut failure) = (None, None);
    memory::inside(|| match survived(body, poison) {
        Ok(made) => value = Some(Box::new(made)),
        Err(error) => failure = Some(Box::new(error)),
    })?;
    match (value, failure) {
        (Some(value), _) => Ok(*value),
        (None, Some(error)) => Err(*error),
        (None, None) => Err(Error::internal("no outcome")),
    }
}

/// As [`contained`], for a body that touches no secret.
pub(crate) fn contained_plain<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    memory::undisturbed(|| survived(body, || {}))
}

/// The outcome of `body`, or `Status::Internal` after a panic.
fn survived<T>(body: impl FnOnce() -> Result<T>, poison: impl FnOnce()) -> Result<T> {
    silent(body).unwrap_or_else(|| {
        poison();
        Err(Error::internal("a panic inside the library"))
    })
}

/// Runs the body of a function that cannot fail and touches no secret. Returns `otherwise` after a panic.
pub(super) fn guard_value<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    memory::undisturbed(|| silent(body)).unwrap_or(otherwise)
}

/// Makes a handle, on the caller's stack if there is no other. NULL after a panic.
pub(super) fn guard_new<T>(make: impl FnOnce() -> *mut T) -> *mut T {
    let (mut make, mut made) = (Some(make), null_mut());
    let mut run = || {
        if let Some(make) = make.take() {
            made = silent(make).unwrap_or(null_mut());
        }
    };
    if memory::inside(&mut run).is_err() {
        memory::undisturbed(run);
    }
    made
}

/// Runs `body`, which frees a handle, in a scope for work on secrets. If there is no stack, `body` runs on the caller's stack.
pub(super) fn guard_free(body: impl FnOnce()) {
    let mut body = Some(body);
    let mut free = || {
        if let Some(body) = body.take() {
            body();
        }
    };
    if memory::inside(|| silent(&mut free).is_some()).is_err() {
        guard_value((), free);
    }
}

/// The body's value, or `None` if it panicked. A panic's message could hold anything: it is not printed.
fn silent<T>(body: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    if !HOOK.is_completed() {
        memory::watch_forks();
        // Inside the gate. Otherwise a child that is forked during the first use would wait forever.
        fork_gate::pass(|| HOOK.call_once(be_silent));
    }
    let outer = thread::set_quiet(true);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    thread::set_quiet(outer);
    // Dropping the payload could panic again; it is small, rare, and leaked instead.
    outcome.map_err(std::mem::forget).ok()
}

/// Hides panics of the library from the process's panic hook.
fn be_silent() {
    let previous = take_hook();
    set_hook(Box::new(move |info| {
        if !thread::is_quiet() {
            previous(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::super::error::{nomyo_error_free, nomyo_error_status};
    use super::*;

    #[test]
    fn a_panic_becomes_internal_poisons_and_never_crosses() {
        let (mut err, mut poisoned) = (std::ptr::null_mut(), false);
        let code = guard_or_poison(&raw mut err, || panic!("the prompt"), || poisoned = true);
        assert!(poisoned);
        assert_eq!(code, 99);
        // SAFETY: guard made `err` and nobody else has it.
        assert_eq!(unsafe { nomyo_error_status(err) }, 99);
        // SAFETY: guard made `err` and nobody else has it.
        unsafe { nomyo_error_free(err) };
        assert_eq!(guard_value(7, || panic!("the prompt")), 7);
    }

    #[test]
    fn err_is_untouched_on_success_and_may_be_null_on_failure() {
        let mut err = std::ptr::dangling_mut();
        let before = err;
        assert_eq!(guard(&raw mut err, || Ok(())), NOMYO_OK);
        assert_eq!(err, before);
        assert_eq!(guard(std::ptr::null_mut(), || Err(Error::argument("no"))), 1);
    }
}

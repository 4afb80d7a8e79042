//! The only way out to C: no panic crosses it, and none is printed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use super::error::nomyo_error;
use super::status::NOMYO_OK;
use crate::error::{Error, Result};
use crate::memory::clear_registers;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs a fallible function's body. On failure `err`, unless NULL, receives the error.
pub(super) fn guard(err: *mut *mut nomyo_error, body: impl FnOnce() -> Result<()>) -> i32 {
    guard_or_poison(err, body, || {})
}

/// As [`guard`], and runs `poison` when the body panics.
pub(super) fn guard_or_poison(
    err: *mut *mut nomyo_error,
    body: impl FnOnce() -> Result<()>,
    poison: impl FnOnce(),
) -> i32 {
    let Err(error) = contained(body, poison) else { return NOMYO_OK };
    let code = error.status().code();
    if !err.is_null() {
        let handle = Box::into_raw(Box::new(nomyo_error::new(error)));
        // SAFETY: the caller promises that `err`, unless NULL, is a writable pointer (nomyo.h, Conventions).
        unsafe { err.write(handle) };
    }
    code
}

/// The body's outcome. A panic is [`Status::Internal`](crate::Status::Internal), after `poison` has run.
pub(crate) fn contained<T>(body: impl FnOnce() -> Result<T>, poison: impl FnOnce()) -> Result<T> {
    silent(body).unwrap_or_else(|| {
        poison();
        Err(Error::internal("a panic inside the library"))
    })
}

/// Runs the body of a function that cannot fail; `otherwise` is what it returns after a panic.
pub(super) fn guard_value<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    silent(body).unwrap_or(otherwise)
}

/// The body's value, or `None` if it panicked. A panic's message could hold anything: it is not printed.
fn silent<T>(body: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !INSIDE.get() {
                previous(info);
            }
        }));
    });
    let outer = INSIDE.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    // Copying an answer leaves it there, and the caller's side saves registers where anybody may look.
    clear_registers();
    // Dropping the payload could panic again; it is small, rare, and leaked instead.
    outcome.map_err(std::mem::forget).ok()
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

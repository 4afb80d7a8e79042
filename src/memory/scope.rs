//! The scope in which secrets are worked on: on a stack of the vault, and without signals.
//!
//! For a signal the kernel saves all registers on the handler's stack, which is not the vault's. A caller's stack is not wiped
//! after use. Therefore a call that works on secrets is [`inside`] from its beginning to its end. It goes [`outside`] to wait and
//! to call functions of the host. Outside, signals are delivered, and the caller's stack is used.

use std::cell::Cell;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::ptr::{null, write_volatile};

use corosensei::{CoroutineResult, ScopedCoroutine, Yielder};

use super::os::Signals;
use super::process::Process;
use super::registers::clear_registers;
use super::stack::Stack;
use crate::error::Result;

/// How deep operations on keys reach, in bytes, rounded up: measured at 8 KiB for AWS-LC, 27 KiB for key files without
/// optimisation and 86 KiB for RSA in pure Rust.
const DEPTH: usize = if cfg!(feature = "aws-lc") { 32 * 1024 } else { 96 * 1024 };

/// A value that cannot carry a secret along by accident, because it has no padding. Padding may hold older bytes of the stack.
pub(crate) trait Scalar: Copy {}
impl Scalar for () {}
impl Scalar for bool {}
impl Scalar for i32 {}
impl Scalar for usize {}
impl<T> Scalar for *const T {}
impl<T> Scalar for *mut T {}
impl<T> Scalar for (*const T, usize) {}

/// The way back to the caller.
struct Border<'a> {
    /// The signals that the caller lets through.
    signals: Signals,
    /// The way to the caller's stack, if the scope has a stack of its own.
    stack: Option<&'a Yielder<(), ()>>,
}

thread_local! {
    /// The border of the scope that this thread is in; null outside a scope.
    static BORDER: Cell<*const Border<'static>> = const { Cell::new(null()) };
}

/// Sets this thread's border until it is dropped.
struct Within(*const Border<'static>);

impl Within {
    fn enter(border: *const Border<'static>) -> Within {
        Within(BORDER.replace(border))
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        BORDER.set(self.0);
    }
}

/// Blocks signals until it is dropped. The drop clears the vector registers before it restores the signals.
struct Quiet(Signals);

impl Quiet {
    fn begin() -> Quiet {
        Quiet(Signals::block())
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        clear_registers();
        self.0.restore();
    }
}

/// Runs `body` in a scope, or as a part of the scope that this thread is in. `body` returns a scalar and writes all other outputs through its borrows.
///
/// # Errors
/// `Status::Memory` or `Status::Security` if there is no stack. `body` did not run then.
pub(crate) fn inside<S: Scalar>(body: impl FnOnce() -> S) -> Result<S> {
    if !is_on() {
        return Ok(body());
    }
    if has_stack() {
        let scalar = run(body);
        // The scope may last, and wait: what this part of it leaves is gone now.
        scrub();
        return Ok(scalar);
    }
    // First of all: a fork in a signal handler would take the vault's mutexes again.
    let quiet = Quiet::begin();
    let stack = Stack::take()?;
    // SAFETY: see `outside`.
    let signals = unsafe { BORDER.get().as_ref() }.map_or(quiet.0, |undisturbed| undisturbed.signals);
    let coroutine = ScopedCoroutine::with_stack(stack, |yielder: &Yielder<(), ()>, ()| {
        let border = Border { signals, stack: Some(yielder) };
        let _within = Within::enter((&raw const border).cast());
        body()
    });
    let CoroutineResult::Return(scalar) = coroutine.scope(|mut coroutine| coroutine.as_mut().resume(())) else {
        unreachable!("nothing in a scope yields");
    };
    Ok(scalar)
}

/// A frame of its own, so that everything of `body` lies below the caller's frame.
#[inline(never)]
fn run<S>(body: impl FnOnce() -> S) -> S {
    black_box(body())
}

/// Overwrites the stack below its caller, as deep as an operation on keys reaches.
#[inline(never)]
fn scrub() {
    let mut below = [MaybeUninit::<u64>::uninit(); DEPTH / 8];
    for word in &mut below {
        // SAFETY: a live local; volatile, so that it is written although nobody reads it.
        unsafe { write_volatile(word, MaybeUninit::new(0)) };
    }
    black_box(&mut below);
}

/// Whether this thread is in a scope that has a stack.
fn has_stack() -> bool {
    // SAFETY: see `outside`.
    unsafe { BORDER.get().as_ref() }.is_some_and(|border| border.stack.is_some())
}

/// Whether there are scopes. NOMYO_TEST_NO_SCOPE switches them off in a debug build, so that the memory tests can show that they
/// find secrets then. The environment is read as the process began with it: another thread may be changing it now.
#[cfg(all(debug_assertions, not(miri)))]
fn is_on() -> bool {
    static ON: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ON.get_or_init(|| !super::os::began_with(b"NOMYO_TEST_NO_SCOPE"))
}

/// Whether there are scopes. Miri has one stack and no signals.
#[cfg(any(not(debug_assertions), miri))]
fn is_on() -> bool {
    !cfg!(miri)
}

/// Runs `body` with signals blocked, on the caller's stack. For work that touches no secret but takes locks: a fork in a signal
/// handler would take them again.
#[cfg(feature = "capi")]
pub(crate) fn undisturbed<S>(body: impl FnOnce() -> S) -> S {
    if !BORDER.get().is_null() || !is_on() {
        return body();
    }
    let quiet = Quiet::begin();
    let border = Border { signals: quiet.0, stack: None };
    let _within = Within::enter((&raw const border).cast());
    body()
}

/// Runs `body` on the caller's stack, with the caller's signals. For waits and for functions of the host.
///
/// `body` may fork. A child that returns from `body` is ended by abort(), because the stack of the scope reads as zeros there.
pub(crate) fn outside<T>(body: impl FnOnce() -> T) -> T {
    /// Blocks signals again when it is dropped.
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            let _ = Signals::block();
        }
    }
    /// A closure that stays on its thread.
    struct Here<F>(F);
    // SAFETY: on_parent_stack runs the closure on the same thread. It requires Send so that the closure uses no yielder, and the
    // border is removed before the closure runs.
    unsafe impl<F> Send for Here<F> {}
    impl<T, F: FnOnce() -> T> Here<F> {
        fn run(self) -> T {
            (self.0)()
        }
    }

    let border = BORDER.get();
    // SAFETY: a border is alive as long as it is set: it is on a frame of this thread that has not returned.
    let Some(border) = (unsafe { border.as_ref() }) else { return body() };
    let _within = Within::enter(null());
    clear_registers();
    let with_signals = || {
        // Read before a possible fork, because the border is on the stack that reads as zeros in the child.
        let (process, has_stack) = (Process::this(), border.stack.is_some());
        border.signals.restore();
        let _back = Back;
        let outcome = body();
        if has_stack && Process::this() != process {
            std::process::abort();
        }
        outcome
    };
    match border.stack {
        Some(yielder) => {
            let here = Here(with_signals);
            yielder.on_parent_stack(move || here.run())
        }
        None => with_signals(),
    }
}

/// Lets the signals that wait be delivered now. For work on megabytes, between its steps.
pub(crate) fn deliver_signals() {
    outside(|| ());
}

#[cfg(all(test, not(miri)))]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// How many copies of `secret` are left on the stack of a thread that ran `body`.
    pub(crate) fn left_on_the_stack(body: fn(), secret: &[u8]) -> usize {
        const SIZE: usize = 1024 * 1024;

        extern "C" fn enter(body: *mut libc::c_void) -> *mut libc::c_void {
            // SAFETY: the address of the function that was passed in, below.
            let body: fn() = unsafe { std::mem::transmute(body) };
            body();
            std::ptr::null_mut()
        }

        let layout = std::alloc::Layout::from_size_align(SIZE, 4096).expect("a layout");
        // SAFETY: a thread runs on memory of ours, which outlives it: it is joined before the memory is read and freed.
        unsafe {
            let stack = std::alloc::alloc_zeroed(layout);
            let (mut attributes, mut thread) = (std::mem::zeroed(), std::mem::zeroed());
            assert_eq!(libc::pthread_attr_init(&raw mut attributes), 0);
            assert_eq!(libc::pthread_attr_setstack(&raw mut attributes, stack.cast(), SIZE), 0);
            let body = body as *mut libc::c_void;
            assert_eq!(libc::pthread_create(&raw mut thread, &raw const attributes, enter, body), 0);
            assert_eq!(libc::pthread_join(thread, std::ptr::null_mut()), 0);
            libc::pthread_attr_destroy(&raw mut attributes);
            let bytes = std::slice::from_raw_parts(stack, SIZE);
            let copies = bytes.windows(secret.len()).filter(|window| *window == secret).count();
            std::alloc::dealloc(stack, layout);
            copies
        }
    }

    fn address_of_a_frame() -> usize {
        let local = 0_u8;
        std::hint::black_box(&raw const local).addr()
    }

    static SEEN: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn count(_: i32) {
        SEEN.fetch_add(1, Ordering::SeqCst);
    }

    fn raise() {
        // SAFETY: a signal that has a handler, for this thread.
        unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGURG) };
    }

    #[test]
    #[cfg(feature = "capi")]
    fn a_signal_is_delivered_outside_and_never_inside() {
        // SAFETY: the handler only counts; no other test of this program uses the signal.
        unsafe { libc::signal(libc::SIGURG, count as extern "C" fn(i32) as libc::sighandler_t) };
        let seen = || SEEN.load(Ordering::SeqCst);
        inside(|| {
            raise();
            assert_eq!(seen(), 0);
            outside(|| assert_eq!(seen(), 1));
            raise();
            undisturbed(|| assert_eq!(seen(), 1));
        })
        .expect("memory");
        assert_eq!(seen(), 2);
        undisturbed(|| {
            raise();
            assert_eq!(seen(), 2);
            outside(|| assert_eq!(seen(), 3));
            inside(|| {
                raise();
                assert_eq!(seen(), 3);
                outside(|| assert_eq!(seen(), 4));
            })
            .expect("memory");
        });
    }

    #[test]
    fn inside_is_another_stack_and_outside_is_the_callers() {
        let near = |a: usize, b: usize| a.abs_diff(b) < 64 * 1024;
        let mine = address_of_a_frame();
        inside(|| {
            let vaults = address_of_a_frame();
            assert!(!near(mine, vaults));
            outside(|| {
                assert!(near(mine, address_of_a_frame()));
                inside(|| assert!(!near(mine, address_of_a_frame()) && !near(vaults, address_of_a_frame())))
                    .expect("memory");
            });
            inside(|| assert!(near(vaults, address_of_a_frame()))).expect("the same");
        })
        .expect("memory");
    }

    #[test]
    fn a_panic_leaves_a_scope_as_it_leaves_a_function() {
        let panic = || -> i32 { std::panic::resume_unwind(Box::new(7)) };
        let caught = std::panic::catch_unwind(|| inside(|| outside(panic)));
        assert!(caught.is_err_and(|payload| payload.is::<i32>()));
        assert!(BORDER.get().is_null());
        let seen = inside(|| 8).expect("memory");
        assert_eq!(seen, 8);
    }

    #[test]
    fn a_child_that_comes_back_from_outside_is_ended() {
        let mut status = 0;
        // SAFETY: the child only returns from here, and is ended; it has no other work.
        inside(|| unsafe {
            let child = outside(|| libc::fork());
            libc::waitpid(child, &raw mut status, 0);
        })
        .expect("memory");
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT, "status {status:x}");
    }
}

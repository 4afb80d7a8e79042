//! Threads of the library's own, which the host notices as little as can be.

use std::mem::MaybeUninit;
use std::{io, thread};

/// Starts a thread on which no signal is delivered: the host's handlers are for its own threads.
///
/// # Errors
/// Those of the system, which has no more threads.
pub fn on_a_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    struct Mask(libc::sigset_t);
    impl Drop for Mask {
        fn drop(&mut self) {
            // SAFETY: a mask that pthread_sigmask wrote, and no room for the one before.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
        }
    }
    let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: the first call fills `all`, which the second only reads; it writes `before`, which is read when it did.
    let blocked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        match libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) {
            0 => Mask(before.assume_init()),
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    };
    // A thread inherits the mask of the one that starts it.
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    drop(blocked);
    started.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_signal_is_delivered_on_the_thread_and_the_starter_keeps_its_mask() {
        fn blocked() -> bool {
            let mut mask = MaybeUninit::uninit();
            // SAFETY: no mask is set, and the one in force is written to ours before it is read.
            unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), mask.as_mut_ptr());
                libc::sigismember(mask.as_ptr(), libc::SIGUSR1) == 1
            }
        }
        let (tell, told) = std::sync::mpsc::channel();
        on_a_thread("test", move || tell.send(blocked()).expect("a listener")).expect("a thread");
        assert!(told.recv().expect("an answer"));
        assert!(!blocked());
    }
}

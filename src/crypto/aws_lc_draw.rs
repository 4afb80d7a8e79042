//! Draws of random bytes from AWS-LC: each passes the gate of forks, and so does the end of a thread that has drawn.

use crate::memory::{self, fork_gate};

/// Runs an operation of AWS-LC that draws random bytes itself or inside: key generation, OAEP, the blinding of RSA, key shares.
/// [`fork_gate`] explains the reason.
pub(crate) fn drawing<T>(body: impl FnOnce() -> T) -> T {
    /// Frees the thread's generator at the thread's end. AWS-LC's own thread destructor would take its locks outside the gate.
    struct Ending;
    impl Drop for Ending {
        fn drop(&mut self) {
            // SAFETY: frees the state that AWS-LC keeps for the calling thread. AWS-LC creates it again if it is needed.
            fork_gate::pass(|| unsafe { aws_lc_sys::AWSLC_thread_local_clear() });
        }
    }
    thread_local! {
        static ENDING: Ending = const { Ending };
    }
    memory::watch_forks();
    super::ready();
    // If the thread's values are already destroyed, the thread is at its end, and no destructor can be registered.
    let _ = ENDING.try_with(|_| ());
    fork_gate::pass(|| {
        // SAFETY: empties the calling thread's error queue. If there is none, it is created here, which takes a lock too.
        unsafe { aws_lc_sys::ERR_clear_error() };
        body()
    })
}

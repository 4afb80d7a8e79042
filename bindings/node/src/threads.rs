//! The threads that calls run on, for all environments of the process.
//!
//! Not libuv's threads: there are four, which the process needs for files, names and passwords, and a chat may take minutes.
//!
//! A call runs on an idle thread if there is one. If there is none, a thread of its own, the starter, starts another one: the
//! event loop never waits for the kernel's lock on the address space, which starting a thread takes. The starter starts as
//! many threads as there are processors at once. It starts each further thread only if no waiting call has begun for one
//! pace. Calls that begin together and end soon thereby share few threads, and no call waits long behind slow ones.
//!
//! All of these threads end if there are no calls for some time.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use nomyo::Cancel;
use nomyo::boundary::on_a_thread;

/// How long a thread waits for a call before it ends.
const IDLE: Duration = Duration::from_secs(2);

/// The pace on one processor; on several it is a fraction of this.
const PACE: Duration = Duration::from_millis(2);

/// Reports how a job ended.
pub type Report = Box<dyn FnOnce()>;

/// A call that waits for a thread.
pub struct Job {
    pub run: Box<dyn FnOnce(Turn) -> Report + Send>,
    /// Ends the wait.
    pub cancel: Option<Cancel>,
    /// Ends the wait.
    pub due: Option<Instant>,
}

/// Why a job is run.
pub enum Turn {
    Begins,
    /// The system has no thread for it.
    NoThread,
}

impl Job {
    /// Whether the call was cancelled or its time is over. Running it then only reports that.
    fn is_over(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_triggered) || self.due.is_some_and(|due| due <= Instant::now())
    }
}

struct Threads {
    waiting: VecDeque<Job>,
    /// The thread that became idle last is at the end, and is used first. The others can end.
    idle: Vec<Thread>,
    /// How many threads are being started or woken, or report, and will look for a job.
    coming: usize,
    alive: usize,
    /// How many jobs have left `waiting` on a thread.
    begun: u64,
    has_starter: bool,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads {
    waiting: VecDeque::new(),
    idle: Vec::new(),
    coming: 0,
    alive: 0,
    begun: 0,
    has_starter: false,
});

/// Wakes the starter.
static LACKING: Condvar = Condvar::new();

/// Runs `job` on a thread as soon as there is one. Does not block.
pub fn run(job: Job) {
    let mut threads = lock();
    threads.waiting.push_back(job);
    if let Some(thread) = threads.idle.pop() {
        threads.coming += 1;
        drop(threads);
        return thread.unpark();
    }
    if !threads.are_lacking() {
        return;
    }
    if std::mem::replace(&mut threads.has_starter, true) {
        drop(threads);
        return LACKING.notify_one();
    }
    drop(threads);
    if on_a_thread("nomyo-starter", start_threads).is_err() {
        let mut threads = lock();
        threads.has_starter = false;
        let job = threads.waiting.pop_back();
        drop(threads);
        refuse(job);
    }
}

/// The starter: starts threads as long as jobs wait for them.
fn start_threads() {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let pace = PACE / u32::try_from(processors).unwrap_or(u32::MAX);
    let mut threads = lock();
    loop {
        if !threads.are_lacking() {
            let (locked, wait) = LACKING.wait_timeout(threads, IDLE).unwrap_or_else(PoisonError::into_inner);
            threads = locked;
            if wait.timed_out() && !threads.are_lacking() {
                threads.has_starter = false;
                return;
            }
            continue;
        }
        if threads.alive >= processors {
            let begun = threads.begun;
            drop(threads);
            thread::sleep(pace);
            end_waits();
            threads = lock();
            if threads.begun != begun || !threads.are_lacking() {
                continue;
            }
        }
        threads.alive += 1;
        threads.coming += 1;
        drop(threads);
        let started = on_a_thread("nomyo-call", serve);
        threads = lock();
        if started.is_err() {
            threads.alive -= 1;
            threads.coming -= 1;
            let job = threads.waiting.pop_front();
            drop(threads);
            refuse(job);
            threads = lock();
        }
    }
}

/// Runs the waiting jobs that are over: each returns at once.
fn end_waits() {
    loop {
        let mut threads = lock();
        let Some(place) = threads.waiting.iter().position(Job::is_over) else { return };
        let job = threads.waiting.remove(place);
        drop(threads);
        if let Some(job) = job {
            (job.run)(Turn::Begins)();
        }
    }
}

fn refuse(job: Option<Job>) {
    if let Some(job) = job {
        (job.run)(Turn::NoThread)();
    }
}

/// The thread of calls: runs jobs until there are none for some time.
fn serve() {
    let mut threads = lock();
    threads.coming -= 1;
    loop {
        while let Some(job) = threads.waiting.pop_front() {
            threads.begun += 1;
            drop(threads);
            let report = (job.run)(Turn::Begins);
            // Before the report: the next call of its receiver needs no other thread then.
            lock().coming += 1;
            report();
            threads = lock();
            threads.coming -= 1;
        }
        threads.idle.push(thread::current());
        let end = Instant::now() + IDLE;
        loop {
            drop(threads);
            thread::park_timeout(end.saturating_duration_since(Instant::now()));
            threads = lock();
            let Some(place) = threads.place_of_this_thread() else {
                threads.coming -= 1;
                break;
            };
            if end <= Instant::now() {
                threads.idle.remove(place);
                threads.alive -= 1;
                return;
            }
        }
    }
}

impl Threads {
    /// Whether more jobs wait than threads are about to look for one.
    fn are_lacking(&self) -> bool {
        self.waiting.len() > self.coming
    }

    /// Among the idle ones; `None` if the thread was woken for a job.
    fn place_of_this_thread(&self) -> Option<usize> {
        let this = thread::current().id();
        self.idle.iter().position(|thread| thread.id() == this)
    }
}

fn lock() -> MutexGuard<'static, Threads> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};

    use super::*;

    const SLOW: usize = 500;

    /// A job that counts itself and ends when the sender of `end` is dropped.
    fn slow(begun: &Arc<AtomicUsize>, end: &Arc<Mutex<mpsc::Receiver<()>>>) -> Job {
        let (begun, end) = (begun.clone(), end.clone());
        let run = move |_: Turn| -> Report {
            begun.fetch_add(1, Ordering::SeqCst);
            let _ = end.lock().expect("no panic").recv();
            Box::new(|| ())
        };
        Job { run: Box::new(run), cancel: None, due: None }
    }

    #[test]
    fn a_job_that_is_over_is_not_held_up_by_the_slow_jobs_before_it() {
        let (begun, (hold, end)) = (Arc::new(AtomicUsize::new(0)), mpsc::channel());
        let end = Arc::new(Mutex::new(end));
        let (told, tells) = mpsc::channel();
        let over = |cancel, due| {
            let (begun, told) = (begun.clone(), told.clone());
            let run = move |_: Turn| -> Report {
                told.send(begun.load(Ordering::SeqCst)).expect("a receiver");
                Box::new(|| ())
            };
            Job { run: Box::new(run), cancel, due }
        };
        for _ in 0..SLOW {
            run(slow(&begun, &end));
        }
        let cancel = Cancel::new();
        run(over(Some(cancel.clone()), None));
        run(over(None, Instant::now().checked_add(Duration::from_millis(5))));
        cancel.trigger();
        for _ in 0..2 {
            assert!(tells.recv().expect("a report") < SLOW);
        }
        drop(hold);
        while begun.load(Ordering::SeqCst) < SLOW {
            thread::sleep(PACE);
        }
    }
}

//! The client's pair: made, loaded or generated when it is first asked for, and replaced when it is due.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::password::Password;
use super::task::{End, Kind, Task};
use super::{ClientPair, KeyDirectory, key_file, private_key};
use crate::crypto::KeyPair;
use crate::error::{Error, Result};
use crate::files::{Access, absolute};
use crate::log::{Log, LogLevel};
use crate::memory::{OwnProcess, SecretBuf, Vote};
use crate::thread::{self, Then};
use crate::wait::Wait;

/// How soon a rotation that failed is tried again.
const RETRY: Duration = Duration::from_secs(60);
/// The longest time that a call waits for the replacement of a due pair. It can go on with the old one.
const ROTATION_PATIENCE: Duration = Duration::from_secs(10);

/// The pair of a client. May be shared by any number of threads.
///
/// Files are read and written, keys derived and pairs generated on a thread of their own, at most one for each client.
/// Calls wait for that thread as long as their [`Wait`] allows. A call that has a pair and needs no other starts none.
///
/// A due pair is replaced at the start of a request. The one call that finds it due waits for the new pair for a while;
/// the other calls use the old one. A pair is wiped when the last request that named it is over.
pub(crate) struct ClientKeys {
    log: Log,
    shared: Arc<Shared>,
}

/// The part that a thread at work keeps alive after the client was freed.
struct Shared {
    rotation: Option<Duration>,
    /// A forked child must not use it: at the fork, another thread may have held the lock with a half-changed state.
    state: OwnProcess<Mutex<State>>,
    /// The client's memory policy holds until its last key is wiped.
    _vote: Vote,
}

struct State {
    home: Home,
    held: Option<Held>,
    /// The operation under way.
    task: Option<Arc<Task>>,
    /// A generated pair whose caller stopped waiting. It was never used, and the next generation takes it.
    spare: Option<KeyPair>,
    /// Why a due pair could not be replaced, until a call has logged it.
    unreported: Option<Error>,
    /// The panic of an operation, until a call has passed it on.
    panic: Option<Box<dyn Any + Send>>,
}

struct Held {
    pair: Arc<ClientPair>,
    /// When it is to be replaced.
    due: Option<Instant>,
}

/// Where a pair comes from and, when it is replaced, goes to.
#[derive(Clone)]
enum Home {
    /// Generated, and never written anywhere.
    Memory,
    /// Kept in a directory.
    Directory(Arc<KeyDirectory>),
    /// Loaded from files of the caller's, which are not touched; not replaced unless the caller says so.
    Loaded,
}

/// A new pair, if an operation made one, and where it is kept.
type Made = Option<(Home, ClientPair)>;

/// How a call gets a pair.
enum Next {
    Use(Arc<ClientPair>),
    /// Another call's operation is to end first.
    After(Arc<Task>),
    /// This call starts the operation. There is an old pair if one is due.
    Start(Arc<Task>, Home, Option<Arc<ClientPair>>),
}

impl ClientKeys {
    /// Keys in `directory`, or in memory; replaced after `rotation`, or never. `vote` counts as long as there are keys.
    pub(crate) fn new(directory: Option<KeyDirectory>, rotation: Option<Duration>, log: Log, vote: Vote) -> ClientKeys {
        let home = directory.map_or(Home::Memory, |directory| Home::Directory(Arc::new(directory)));
        let state = State { home, held: None, task: None, spare: None, unreported: None, panic: None };
        let shared = Shared { rotation, state: OwnProcess::new(Mutex::new(state)), _vote: vote };
        ClientKeys { log, shared: Arc::new(shared) }
    }

    /// The pair to use now. The first call has it loaded or generated (0.7 s on average, several at worst), and the call
    /// that finds it due has it replaced. If the call ends before that, the work goes on for the next call.
    ///
    /// # Errors
    /// The errors of the key directory and of `wait`. A due pair that cannot be replaced is used, and logged.
    pub(crate) fn current(&self, wait: &Wait) -> Result<Arc<ClientPair>> {
        let mut waited = false;
        loop {
            let mut state = self.lock();
            let unreported = state.unreported.take();
            let next = state.next(waited);
            drop(state);
            if let Some(error) = unreported {
                self.log.write(
                    LogLevel::Warn,
                    format_args!("the client's keys are due and could not be replaced: {error}"),
                );
            }
            match next {
                Next::Use(pair) => return Ok(pair),
                Next::After(task) if task.is_needed() => {
                    task.join();
                    waited = self.waited(&task, wait)?;
                }
                Next::After(task) => task.watch(wait)?,
                Next::Start(task, home, old) => {
                    let patience = old.as_ref().map(|_| ROTATION_PATIENCE.min(wait.left() / 2));
                    let limit = patience.map_or_else(|| wait.clone(), |most| wait.at_most(most));
                    self.start(&task, &limit, move |shared, task| made(shared, &home, old.as_deref(), task));
                    waited = match patience {
                        Some(most) => self.waited_for_rotation(&task, wait, most)?,
                        None => self.waited(&task, wait)?,
                    };
                }
            }
        }
    }

    /// Replaces the pair now, where it is kept.
    pub(crate) fn rotate(&self, wait: &Wait) -> Result<()> {
        self.request(wait, |shared, home, task| match home {
            Home::Directory(directory) => {
                let pair = directory.rotate(None, task, || shared.generated(task))?;
                Ok(Some((Home::Directory(directory), pair)))
            }
            Home::Memory | Home::Loaded => Ok(Some((Home::Memory, ClientPair::new(shared.generated(task)?)?))),
        })
    }

    /// Generates a pair, in `directory` or in memory.
    pub(crate) fn generate(&self, directory: Option<KeyDirectory>, wait: &Wait) -> Result<()> {
        self.request(wait, |shared, _, task| match directory {
            Some(directory) => {
                let pair = directory.keep(task, || shared.generated(task))?;
                Ok(Some((Home::Directory(Arc::new(directory)), pair)))
            }
            None => Ok(Some((Home::Memory, ClientPair::new(shared.generated(task)?)?))),
        })
    }

    /// Loads a pair from two files. `access` judges the private one.
    pub(crate) fn load(
        &self,
        private: &Path,
        public: Option<&Path>,
        access: Access,
        password: Password,
        wait: &Wait,
    ) -> Result<()> {
        let private = absolute(private, "the path of the private key")?;
        let public = public.map(|public| absolute(public, "the path of the public key")).transpose()?;
        self.request(wait, move |_, _, task| {
            Ok(Some((Home::Loaded, key_file::load(&private, public.as_deref(), access, &password, task)?)))
        })
    }

    /// Loads a pair from the texts of two files.
    pub(crate) fn load_pem(
        &self,
        private: SecretBuf,
        public: Option<SecretBuf>,
        password: Password,
        wait: &Wait,
    ) -> Result<()> {
        self.request(wait, move |_, _, task| {
            task.at("the keys given were decrypted");
            Ok(Some((Home::Loaded, key_file::from_memory(&private, public.as_deref(), &password)?)))
        })
    }

    /// The private half of the current pair as the text of a file.
    pub(crate) fn private_pem(&self, password: Password, wait: &Wait) -> Result<SecretBuf> {
        password.check_for_writing()?;
        let pair = self.current(wait)?;
        let text = Arc::new(Mutex::new(None));
        let there = text.clone();
        self.request(wait, move |_, _, task| {
            task.at("the private key was encrypted");
            let pem = private_key::to_pem(&pair.keys.to_pkcs8()?, &password)?;
            *there.lock().unwrap_or_else(PoisonError::into_inner) = Some(pem);
            Ok(None)
        })?;
        let text = text.lock().unwrap_or_else(PoisonError::into_inner).take();
        text.ok_or_else(|| Error::internal("the text of the private key was lost"))
    }

    /// Keeps a copy of the current pair in a directory that has none.
    pub(crate) fn save(&self, directory: KeyDirectory, wait: &Wait) -> Result<()> {
        let pair = self.current(wait)?;
        self.request(wait, move |_, _, task| {
            directory.keep(task, || KeyPair::from_pkcs8(&pair.keys.to_pkcs8()?)).map(|_| None)
        })
    }

    /// Does `work` for its caller, after the operation that is under way.
    fn request(
        &self,
        wait: &Wait,
        work: impl FnOnce(&Shared, Home, &Task) -> Result<Made> + Send + 'static,
    ) -> Result<()> {
        let (task, home) = loop {
            let mut state = self.lock();
            let Some(other) = state.task.clone() else {
                let task = Arc::new(Task::new(Kind::Requested));
                state.task = Some(task.clone());
                break (task, state.home.clone());
            };
            drop(state);
            other.watch(wait)?;
        };
        self.start(&task, wait, move |shared, task| work(shared, home, task));
        if self.waited(&task, wait)? { Ok(()) } else { Err(Error::internal("a key operation lost its caller")) }
    }

    /// Waits for `task`, which this call is counted for. False if it was dropped.
    fn waited(&self, task: &Task, wait: &Wait) -> Result<bool> {
        match task.wait(wait, None)? {
            Some(End::Finished(result)) => result.map(|()| true),
            Some(End::Dropped) | None => {
                // Passes a panic on.
                drop(self.lock());
                // An operation on this call's own thread is dropped when the call has no more time.
                wait.check(task.step()).map_err(|error| task.explained(error))?;
                Ok(false)
            }
        }
    }

    /// Waits `most` for a new pair, while there is an old one to go on with.
    fn waited_for_rotation(&self, task: &Task, wait: &Wait, most: Duration) -> Result<bool> {
        if task.wait(wait, Some(most))?.is_none() {
            let late = "the client's keys are due, and this call uses the old pair: a new one is not there after";
            self.log.write(LogLevel::Warn, format_args!("{late} {} ms", most.as_millis()));
        }
        Ok(true)
    }

    /// Starts `work`, on a thread of its own. If the system has none, does it here, for as long as `limit` allows.
    fn start(
        &self,
        task: &Arc<Task>,
        limit: &Wait,
        work: impl FnOnce(&Shared, &Task) -> Result<Made> + Send + 'static,
    ) {
        let (shared, task_there) = (self.shared.clone(), task.clone());
        let run = move |ready: Result<()>| -> Then {
            let end = Box::new(shared.perform(&task_there, |shared, task| ready.and_then(|()| work(shared, task))));
            Box::new(move || task_there.end(end))
        };
        if let Some(run) = thread::start("nomyo-keys", run) {
            task.limit_to(limit);
            run(Ok(()))();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.shared.lock();
        if let Some(panic) = state.panic.take() {
            drop(state);
            resume_unwind(panic);
        }
        state
    }
}

impl Drop for ClientKeys {
    fn drop(&mut self) {
        if self.shared.state.get().is_ok()
            && let Some(task) = &self.shared.lock().task
        {
            task.leave();
        }
    }
}

impl Shared {
    fn perform(&self, task: &Task, work: impl FnOnce(&Shared, &Task) -> Result<Made>) -> End {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(self, task)));
        let mut unused = None;
        let mut state = self.lock();
        state.task = None;
        let end = match outcome {
            Ok(Ok(None)) => End::Finished(Ok(())),
            Ok(Ok(Some((home, pair)))) => {
                let pair = Arc::new(pair);
                match task.begin() {
                    Ok(()) => unused = state.hold(home, pair, self.rotation),
                    Err(_) => unused = Some(pair),
                }
                End::Finished(Ok(()))
            }
            Ok(Err(error)) => {
                if task.is_needed() && state.postpone(RETRY) && !task.is_dropped() {
                    state.unreported = Some(error.clone());
                }
                End::Finished(Err(error))
            }
            Err(panic) => {
                state.panic = Some(panic);
                End::Dropped
            }
        };
        drop(state);
        // It is wiped without holding up other calls, and before the caller goes on.
        drop(unused);
        end
    }

    /// A new pair. It is not lost if nobody waits for it any more.
    fn generated(&self, task: &Task) -> Result<KeyPair> {
        if let Some(pair) = self.lock().spare.take() {
            return Ok(pair);
        }
        task.at("a key pair was generated");
        let pair = new_pair()?;
        if let Err(error) = task.proceed() {
            self.lock().spare = Some(pair);
            return Err(error);
        }
        Ok(pair)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.state.get().expect("a call refuses a client of another process first");
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_pair() -> Result<KeyPair> {
    #[cfg(all(debug_assertions, not(miri)))]
    if let Some(pair) = super::ready_made::next() {
        return Ok(pair);
    }
    KeyPair::generate()
}

impl State {
    /// The next step of a call that needs a pair. A call that has `waited` for a pair uses it, due or not.
    fn next(&mut self, waited: bool) -> Next {
        let old = match (&self.held, &self.task) {
            (Some(held), Some(_)) => return Next::Use(held.pair.clone()),
            (Some(held), None) if waited || !held.is_due() => return Next::Use(held.pair.clone()),
            (None, Some(task)) => return Next::After(task.clone()),
            (held, None) => held.as_ref().map(|held| held.pair.clone()),
        };
        let task = Arc::new(Task::new(Kind::Needed));
        self.task = Some(task.clone());
        Next::Start(task, self.home.clone(), old)
    }

    /// Uses `pair` from now on. Returns the pair before.
    fn hold(&mut self, home: Home, pair: Arc<ClientPair>, rotation: Option<Duration>) -> Option<Arc<ClientPair>> {
        let due = match home {
            Home::Loaded => None,
            Home::Memory | Home::Directory(_) => rotation.and_then(|after| Instant::now().checked_add(after)),
        };
        self.home = home;
        self.held.replace(Held { pair, due }).map(|held| held.pair)
    }

    /// Puts the replacement of the pair off. False if there is none.
    fn postpone(&mut self, by: Duration) -> bool {
        let Some(held) = &mut self.held else { return false };
        held.due = Instant::now().checked_add(by);
        true
    }
}

impl Held {
    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| Instant::now() >= due)
    }
}

/// The pair that follows `old` at `home`, or the first.
fn made(shared: &Shared, home: &Home, old: Option<&ClientPair>, task: &Task) -> Result<Made> {
    let generate = || shared.generated(task);
    let pair = match (home, old) {
        (Home::Directory(directory), None) => directory.load_or_make(task, generate)?,
        (Home::Directory(directory), old) => directory.rotate(old, task, generate)?,
        (Home::Memory, _) => ClientPair::new(generate()?)?,
        (Home::Loaded, _) => return Err(Error::internal("loaded keys fell due")),
    };
    Ok(Some((home.clone(), pair)))
}

#[cfg(test)]
mod tests;

//! The client's pair: made, loaded or generated when it is first asked for, and replaced when it is due.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::key_directory::StillWanted;
use super::password::Password;
use super::{ClientPair, KeyDirectory, key_file};
use crate::crypto::KeyPair;
use crate::error::{Error, Result};
use crate::log::{Level, Log};

/// How long a waiter waits before it asks whether it is still wanted.
const PATIENCE: Duration = Duration::from_millis(50);
/// How soon a rotation that failed is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// The pair of a client. May be shared by any number of threads.
///
/// A due pair is replaced at the start of a request by the one thread that finds it due, while the others go on with the
/// old one. Whoever has a pair keeps it: it is wiped when the last request that named it is over.
pub(crate) struct ClientKeys {
    rotation: Option<Duration>,
    log: Log,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    home: Home,
    held: Option<Held>,
    /// Whether a thread is making the next pair.
    making: bool,
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

impl ClientKeys {
    /// Keys in `directory`, or in memory; replaced after `rotation`, or never.
    pub(crate) fn new(directory: Option<KeyDirectory>, rotation: Option<Duration>, log: Log) -> ClientKeys {
        let home = directory.map_or(Home::Memory, |directory| Home::Directory(Arc::new(directory)));
        let state = Mutex::new(State { home, held: None, making: false });
        ClientKeys { rotation, log, state, changed: Condvar::new() }
    }

    /// The pair to use now. The first call loads or generates it (0.7 s on average, several at worst), and so does the one
    /// that finds it due; other calls wait for the first pair, as long as `still_wanted` does not fail.
    pub(crate) fn current(&self, still_wanted: StillWanted<'_>) -> Result<Arc<ClientPair>> {
        let mut state = self.lock();
        let old = loop {
            match &state.held {
                Some(held) if state.making || held.due.is_none_or(|due| Instant::now() < due) => {
                    return Ok(held.pair.clone());
                }
                Some(held) => break Some(held.pair.clone()),
                None if !state.making => break None,
                None => state = self.wait(state, still_wanted)?,
            }
        };
        let home = state.home.clone();
        let turn = self.turn(state);
        match (made(&home, old.as_deref(), still_wanted), old) {
            (Ok(pair), _) => Ok(turn.hold(home, pair)),
            (Err(error), None) => Err(error),
            (Err(error), Some(old)) => {
                self.log
                    .write(Level::Warn, format_args!("the client's keys are due and could not be replaced: {error}"));
                turn.postpone(RETRY);
                Ok(old)
            }
        }
    }

    /// Replaces the pair now, where it is kept.
    pub(crate) fn rotate(&self, still_wanted: StillWanted<'_>) -> Result<()> {
        self.replace(still_wanted, |home| match home {
            Home::Directory(directory) => {
                Ok((Home::Directory(directory.clone()), directory.rotate(None, still_wanted)?))
            }
            Home::Memory | Home::Loaded => Ok((Home::Memory, ClientPair::new(KeyPair::generate()?)?)),
        })
    }

    /// Generates a pair, in `directory` or in memory.
    pub(crate) fn generate(&self, directory: Option<KeyDirectory>, still_wanted: StillWanted<'_>) -> Result<()> {
        self.replace(still_wanted, |_| match directory {
            Some(directory) => {
                let pair = directory.keep(still_wanted, KeyPair::generate)?;
                Ok((Home::Directory(Arc::new(directory)), pair))
            }
            None => Ok((Home::Memory, ClientPair::new(KeyPair::generate()?)?)),
        })
    }

    /// Loads a pair from two files.
    pub(crate) fn load(
        &self,
        private: &Path,
        public: Option<&Path>,
        password: &Password,
        still_wanted: StillWanted<'_>,
    ) -> Result<()> {
        self.replace(still_wanted, |_| Ok((Home::Loaded, key_file::load(private, public, password)?)))
    }

    /// Keeps a copy of the current pair in a directory that has none.
    pub(crate) fn save(&self, directory: &KeyDirectory, still_wanted: StillWanted<'_>) -> Result<()> {
        let pair = self.current(still_wanted)?;
        directory.keep(still_wanted, || KeyPair::from_pkcs8(&pair.keys.to_pkcs8()?)).map(|_| ())
    }

    /// Makes the next pair by `make`, after whichever thread is making one.
    fn replace(
        &self,
        still_wanted: StillWanted<'_>,
        make: impl FnOnce(&Home) -> Result<(Home, ClientPair)>,
    ) -> Result<()> {
        let mut state = self.lock();
        while state.making {
            state = self.wait(state, still_wanted)?;
        }
        let home = state.home.clone();
        let turn = self.turn(state);
        let (home, pair) = make(&home)?;
        turn.hold(home, pair);
        Ok(())
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, still_wanted: StillWanted<'_>) -> Result<MutexGuard<'a, State>> {
        still_wanted()?;
        Ok(self.changed.wait_timeout(state, PATIENCE).unwrap_or_else(PoisonError::into_inner).0)
    }

    fn turn(&self, mut state: MutexGuard<'_, State>) -> Turn<'_> {
        state.making = true;
        Turn { keys: self }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pair that follows `old` at `home`, or the first.
fn made(home: &Home, old: Option<&ClientPair>, still_wanted: StillWanted<'_>) -> Result<ClientPair> {
    match (home, old) {
        (Home::Directory(directory), None) => directory.load_or_generate(still_wanted),
        (Home::Directory(directory), old) => directory.rotate(old, still_wanted),
        (Home::Memory, _) => ClientPair::new(KeyPair::generate()?),
        (Home::Loaded, _) => Err(Error::internal("loaded keys fell due")),
    }
}

/// One thread's turn to make a pair: however it ends, by error or panic too, the others are let on.
struct Turn<'a> {
    keys: &'a ClientKeys,
}

impl Turn<'_> {
    fn hold(self, home: Home, pair: ClientPair) -> Arc<ClientPair> {
        let pair = Arc::new(pair);
        let due = match home {
            Home::Loaded => None,
            Home::Memory | Home::Directory(_) => self.keys.rotation.and_then(|after| Instant::now().checked_add(after)),
        };
        let mut state = self.keys.lock();
        state.home = home;
        let old = state.held.replace(Held { pair: pair.clone(), due });
        drop(state);
        // Wiped, if nobody has it, without holding up the others.
        drop(old);
        pair
    }

    fn postpone(self, by: Duration) {
        if let Some(held) = &mut self.keys.lock().held {
            held.due = Instant::now().checked_add(by);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.keys.lock().making = false;
        self.keys.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    const HOUR: Duration = Duration::from_secs(3600);

    fn patient() -> Result<()> {
        Ok(())
    }

    fn loaded(rotation: Duration) -> ClientKeys {
        let keys = ClientKeys::new(None, Some(rotation), Log::default());
        let fixture = "tests/fixtures/protocol/keys/client2048_private.pem";
        let text = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture)).expect("a fixture");
        // A copy for its owner alone: a checkout does not keep modes.
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("our file");
        keys.load(file.path(), None, &Password::none(), &patient).expect("a key");
        keys
    }

    fn make_due(keys: &ClientKeys) {
        keys.lock().held.as_mut().expect("a pair").due = Some(Instant::now());
    }

    #[test]
    fn loaded_pairs_are_not_rotated_by_time() {
        let keys = loaded(Duration::from_nanos(1));
        let pair = keys.current(&patient).expect("the pair");
        assert!(Arc::ptr_eq(&pair, &keys.current(&patient).expect("the pair")));
    }

    #[test]
    fn a_due_pair_is_replaced_by_one_thread_while_the_others_go_on_with_the_old_one() {
        let keys = ClientKeys::new(None, Some(HOUR), Log::default());
        let old = keys.current(&patient).expect("a pair");
        make_due(&keys);
        let start = std::sync::Barrier::new(8);
        let call = || {
            start.wait();
            keys.current(&patient).expect("a pair")
        };
        let changed = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|_| scope.spawn(call)).collect();
            calls.into_iter().map(|call| call.join().expect("no panic")).filter(|pair| !Arc::ptr_eq(pair, &old)).count()
        });
        assert!((1..8).contains(&changed), "{changed} calls got the new pair");
        let new = keys.current(&patient).expect("a pair");
        assert_ne!(new.keys.spki(), old.keys.spki());
        assert_eq!(Arc::strong_count(&old), 1);
    }

    #[test]
    fn a_rotation_that_fails_is_told_leaves_the_pair_and_is_tried_again_later() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = told.clone();
        let log = Log::new(Level::Warn, move |_, line| tell.lock().expect("no panic").push(line.to_owned()));
        let nowhere = Path::new("/nonexistent/parent/keys");
        let keys = loaded(HOUR);
        let keys = ClientKeys { log, ..keys };
        keys.lock().home = Home::Directory(Arc::new(KeyDirectory::new(nowhere, Password::none())));
        make_due(&keys);
        let old = keys.lock().held.as_ref().map(|held| held.pair.clone()).expect("a pair");
        for _ in 0..2 {
            assert!(Arc::ptr_eq(&old, &keys.current(&patient).expect("the old pair")));
        }
        assert_eq!(told.lock().expect("no panic").len(), 1);
        assert_eq!(keys.rotate(&patient).expect_err("no such directory").status(), Status::Io);
    }

    #[test]
    fn a_waiter_that_is_not_wanted_any_more_gives_up() {
        let keys = ClientKeys::new(None, None, Log::default());
        keys.lock().making = true;
        let unwanted = || Err(Error::new(Status::Cancelled, "no"));
        assert_eq!(keys.current(&unwanted).err().expect("not wanted").status(), Status::Cancelled);
        assert_eq!(keys.rotate(&unwanted).expect_err("not wanted").status(), Status::Cancelled);
    }
}

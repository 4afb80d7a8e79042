use super::*;
use crate::error::Status;
use crate::memory::MemoryPolicy;
use crate::wait::Cancel;

const HOUR: Duration = Duration::from_secs(3600);

fn keys(rotation: Option<Duration>, log: Log) -> ClientKeys {
    ClientKeys::new(None, rotation, log, Vote::new(MemoryPolicy::Prefer))
}

fn at(directory: &Path) -> KeyDirectory {
    KeyDirectory::new(directory, Password::none(), Access::Private).expect("a path")
}

/// Kept in `directory`.
fn kept(directory: &Path) -> ClientKeys {
    let keys = keys(Some(HOUR), Log::default());
    keys.lock().home = Home::Directory(Arc::new(at(directory)));
    keys
}

fn fixture(name: &str) -> tempfile::NamedTempFile {
    let path = format!("{}/tests/fixtures/protocol/keys/{name}", env!("CARGO_MANIFEST_DIR"));
    // A copy for its owner alone: a checkout does not keep modes.
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), std::fs::read(path).expect("a fixture")).expect("our file");
    file
}

fn load(keys: &ClientKeys) {
    let file = fixture("client2048_private.pem");
    keys.load(file.path(), None, Access::Private, Password::none(), &Wait::patient()).expect("a key");
}

fn loaded(rotation: Duration, log: Log) -> ClientKeys {
    let keys = keys(Some(rotation), log);
    load(&keys);
    keys
}

fn make_due(keys: &ClientKeys) {
    keys.lock().held.as_mut().expect("a pair").due = Some(Instant::now());
}

fn held(keys: &ClientKeys) -> Option<Arc<ClientPair>> {
    keys.lock().held.as_ref().map(|held| held.pair.clone())
}

fn short() -> Wait {
    Wait::new(Duration::from_millis(30), None)
}

/// After the operation under way has ended.
fn idle(keys: &ClientKeys) {
    let end = Instant::now() + HOUR;
    while keys.lock().task.is_some() {
        assert!(Instant::now() < end, "the operation does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The result of `body`, and how long it took.
fn timed<T>(body: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    (body(), begun.elapsed())
}

/// The lock file of a directory, held as another process would hold it.
fn held_lock(directory: &Path) -> std::fs::File {
    let file = std::fs::File::create(directory.join(".nomyo.lock")).expect("a file");
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).expect("a lock");
    file
}

fn told() -> (Log, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    (Log::new(LogLevel::Warn, move |_, line| tell.lock().expect("no panic").push(line.to_owned())), told)
}

#[test]
fn loaded_pairs_are_not_rotated_by_time() {
    let keys = loaded(Duration::from_nanos(1), Log::default());
    let pair = keys.current(&Wait::patient()).expect("the pair");
    assert!(Arc::ptr_eq(&pair, &keys.current(&Wait::patient()).expect("the pair")));
}

#[test]
fn a_call_that_has_a_pair_starts_nothing() {
    let keys = loaded(HOUR, Log::default());
    assert!(matches!(keys.lock().next(false), Next::Use(_)));
    assert!(keys.lock().task.is_none());
}

#[test]
fn a_due_pair_is_replaced_by_one_thread_while_the_others_go_on_with_the_old_one() {
    let keys = keys(Some(HOUR), Log::default());
    let old = keys.current(&Wait::patient()).expect("a pair");
    make_due(&keys);
    let start = std::sync::Barrier::new(8);
    let call = || {
        start.wait();
        keys.current(&Wait::patient()).expect("a pair")
    };
    let changed = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(call)).collect();
        calls.into_iter().map(|call| call.join().expect("no panic")).filter(|pair| !Arc::ptr_eq(pair, &old)).count()
    });
    assert!(changed < 8, "every call waited");
    idle(&keys);
    let new = keys.current(&Wait::patient()).expect("a pair");
    assert_ne!(new.keys.spki(), old.keys.spki());
    assert_eq!(Arc::strong_count(&old), 1);
}

#[test]
fn a_rotation_that_fails_is_told_leaves_the_pair_and_is_tried_again_later() {
    let (log, told) = told();
    let keys = loaded(HOUR, log);
    let nowhere = Path::new("/nonexistent/parent/keys");
    keys.lock().home = Home::Directory(Arc::new(at(nowhere)));
    make_due(&keys);
    let old = held(&keys).expect("a pair");
    for _ in 0..2 {
        assert!(Arc::ptr_eq(&old, &keys.current(&Wait::patient()).expect("the old pair")));
    }
    assert_eq!(told.lock().expect("no panic").len(), 1);
    assert_eq!(keys.rotate(&Wait::patient()).expect_err("no such directory").status(), Status::Io);
}

#[test]
fn a_rotation_that_another_process_holds_up_leaves_the_call_half_of_its_time_and_the_old_pair() {
    let directory = tempfile::tempdir().expect("a directory");
    let (log, told) = told();
    let keys = loaded(HOUR, log);
    keys.lock().home = Home::Directory(Arc::new(at(directory.path())));
    make_due(&keys);
    let old = held(&keys).expect("a pair");
    let _lock = held_lock(directory.path());
    let (pair, time) = timed(|| keys.current(&Wait::new(Duration::from_millis(400), None)));
    assert!(Arc::ptr_eq(&old, &pair.expect("the old pair")));
    assert!(time < Duration::from_millis(350), "{time:?}");
    assert!(told.lock().expect("no panic")[0].contains("uses the old pair"));
}

/// A pair that was generated for a call that gave up.
fn spare() -> KeyPair {
    let pem = std::fs::read(fixture("other_private.pem").path()).expect("our file");
    key_file::pair(&pem, "a fixture", &Password::none()).expect("a key")
}

/// A call that changes the keys or asks for them.
type Operation<'a> = &'a (dyn Fn(&Wait) -> Result<()> + Sync);

#[test]
fn a_call_that_waits_for_a_lock_file_ends_with_its_deadline_or_its_cancel_and_names_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = kept(directory.path());
    let _lock = held_lock(directory.path());
    let operations: [Operation<'_>; 3] = [
        &|wait| keys.current(wait).map(|_| ()),
        &|wait| {
            keys.lock().home = Home::Directory(Arc::new(at(directory.path())));
            keys.rotate(wait)
        },
        &|wait| keys.generate(Some(at(directory.path())), wait),
    ];
    keys.lock().home = Home::Directory(Arc::new(at(directory.path())));
    for operation in operations {
        let cancel = Cancel::new();
        let cancelled = Wait::new(HOUR, Some(&cancel));
        // A pair that is there already: the lock is taken after the generation.
        let generated = || keys.lock().spare = Some(spare());
        generated();
        let (error, time) = timed(|| operation(&short()).expect_err("locked"));
        assert_eq!(error.status(), Status::Timeout);
        assert!(time < Duration::from_secs(2), "{time:?}");
        let named = format!("held the lock file {}/.nomyo.lock", directory.path().display());
        assert!(error.message().contains(&named), "{error}");
        generated();
        std::thread::scope(|scope| {
            let call = scope.spawn(|| timed(|| operation(&cancelled).expect_err("cancelled")));
            std::thread::sleep(Duration::from_millis(50));
            cancel.trigger();
            let (error, time) = call.join().expect("no panic");
            assert_eq!(error.status(), Status::Cancelled);
            assert!(time < Duration::from_secs(2), "{time:?}");
        });
    }
    idle(&keys);
}

#[test]
fn a_pair_whose_first_caller_gave_up_is_there_for_the_next_call() {
    let keys = keys(None, Log::default());
    let (error, time) = timed(|| keys.current(&Wait::new(Duration::from_millis(1), None)).err().expect("no time"));
    assert_eq!(error.status(), Status::Timeout);
    assert!(time < Duration::from_secs(1), "{time:?}");
    assert!(Arc::ptr_eq(&keys.current(&Wait::patient()).expect("a pair"), &held(&keys).expect("a pair")));
}

#[test]
fn a_generation_whose_caller_gave_up_changes_nothing_and_the_next_one_takes_its_pair() {
    let keys = loaded(HOUR, Log::default());
    let old = held(&keys).expect("a pair");
    let error = keys.generate(None, &Wait::new(Duration::from_millis(1), None)).expect_err("no time");
    assert!(error.message().contains("stay as they are"), "{error}");
    idle(&keys);
    assert!(Arc::ptr_eq(&old, &held(&keys).expect("a pair")));
    let spare = keys.lock().spare.as_ref().map(|pair| pair.spki().to_vec()).expect("a pair");
    keys.rotate(&Wait::patient()).expect("a pair");
    assert_eq!(held(&keys).expect("a pair").keys.spki(), spare);
    assert!(keys.lock().spare.is_none());
}

#[test]
fn keys_that_are_loaded_too_late_are_not_used() {
    let keys = loaded(HOUR, Log::default());
    let old = held(&keys).expect("a pair");
    let file = fixture("client_private_openssl_600k.pem");
    let password = Password::new(b"correct horse battery staple").expect("memory");
    let wait = Wait::new(Duration::from_millis(10), None);
    assert_eq!(
        keys.load(file.path(), None, Access::Private, password, &wait).expect_err("no time").status(),
        Status::Timeout
    );
    idle(&keys);
    assert!(Arc::ptr_eq(&old, &held(&keys).expect("a pair")));
}

#[test]
fn a_call_gives_up_at_its_own_deadline_while_another_changes_the_keys() {
    let keys = keys(None, Log::default());
    keys.lock().task = Some(Arc::new(Task::new(Kind::Requested)));
    for error in [keys.current(&short()).map(|_| ()), keys.rotate(&short())] {
        let error = error.expect_err("not wanted");
        assert_eq!(error.status(), Status::Timeout);
        assert!(error.message().contains("another call changed this client's keys"), "{error}");
    }
}

#[test]
fn calls_that_wait_for_the_first_pair_share_its_failure_and_not_that_of_the_first_caller() {
    let keys = kept(Path::new("/nonexistent/parent/keys"));
    assert_eq!(keys.current(&Wait::patient()).err().expect("no such directory").status(), Status::Io);
    let directory = tempfile::tempdir().expect("a directory");
    let keys = kept(directory.path());
    let lock = held_lock(directory.path());
    std::thread::scope(|scope| {
        let hurried = scope.spawn(|| keys.current(&short()).err().expect("no time"));
        let patient = scope.spawn(|| keys.current(&Wait::patient()));
        assert_eq!(hurried.join().expect("no panic").status(), Status::Timeout);
        drop(lock);
        assert!(patient.join().expect("no panic").is_ok());
    });
}

#[test]
fn a_panic_of_an_operation_is_its_callers() {
    let keys = keys(None, Log::default());
    let call = || keys.request(&Wait::patient(), |_, _, _| panic!("a bug"));
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    load(&keys);
}

#[test]
fn a_client_that_is_freed_stops_its_operation_before_it_changes_anything() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = kept(directory.path());
    let lock = held_lock(directory.path());
    let shared = Arc::downgrade(&keys.shared);
    keys.current(&short()).err().expect("no time");
    drop(keys);
    drop(lock);
    let end = Instant::now() + HOUR;
    while shared.strong_count() > 0 {
        assert!(Instant::now() < end, "the thread does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!directory.path().join("private_key.pem").exists());
}

fn text(name: &str) -> SecretBuf {
    SecretBuf::copy_of(&std::fs::read(fixture(name).path()).expect("a fixture")).expect("memory")
}

#[test]
fn a_pair_from_memory_is_the_one_from_files_and_is_not_rotated_by_time() {
    let keys = keys(Some(Duration::from_nanos(1)), Log::default());
    let patient = Wait::patient();
    keys.load_pem(text("client2048_private.pem"), None, Password::none(), &patient).expect("a key");
    let from_memory = keys.current(&patient).expect("a pair");
    let public = Some(text("client2048_public.pem"));
    keys.load_pem(text("client2048_private.pem"), public, Password::none(), &patient).expect("one pair");
    assert_eq!(from_memory.public_pem(), loaded(HOUR, Log::default()).current(&patient).expect("a pair").public_pem());
    assert!(Arc::ptr_eq(&keys.current(&patient).expect("it"), &keys.current(&patient).expect("still it")));
}

#[test]
fn a_pair_from_memory_that_is_refused_is_called_the_key_given_and_changes_nothing() {
    let keys = loaded(HOUR, Log::default());
    let before = held(&keys).expect("a pair");
    let encrypted = "client_private_py_password.pem";
    for (private, public, why) in [
        (
            "client2048_private.pem",
            Some("other_public.pem"),
            "the public key given cannot be used: it is not the other half",
        ),
        ("client_public.pem", None, "the private key given cannot be used: it holds a public key"),
        (encrypted, None, "the private key given cannot be used: it is encrypted"),
    ] {
        let refused = keys.load_pem(text(private), public.map(text), Password::none(), &Wait::patient());
        let error = refused.expect_err(why);
        assert_eq!(error.status(), Status::Key);
        assert!(error.message().contains(why), "{error}");
    }
    assert!(Arc::ptr_eq(&before, &held(&keys).expect("a pair")));
}

#[test]
fn the_text_of_the_private_key_is_the_pair_in_use_and_needs_its_password() {
    let (keys, patient) = (loaded(HOUR, Log::default()), Wait::patient());
    let public = keys.current(&patient).expect("a pair").public_pem().to_owned();
    for password in ["", "correct horse"] {
        let password = || Password::new(password.as_bytes()).expect("memory");
        let pem = keys.private_pem(password(), &patient).expect("PEM");
        let other = self::keys(Some(HOUR), Log::default());
        other.load_pem(pem, None, password(), &patient).expect("its own text");
        assert_eq!(other.current(&patient).expect("a pair").public_pem(), public);
    }
    let weak = keys.private_pem(Password::new(b"short").expect("memory"), &patient);
    assert_eq!(weak.expect_err("too short").status(), Status::Argument);
}

#[test]
fn a_call_that_is_out_of_time_gets_no_pair_from_memory_later_and_no_text() {
    let (keys, patient) = (loaded(HOUR, Log::default()), Wait::patient());
    let before = held(&keys).expect("a pair");
    let password = || Password::new(b"correct horse").expect("memory");
    let pem = keys.private_pem(password(), &patient).expect("PEM");
    let late = keys.load_pem(pem, None, password(), &Wait::new(Duration::from_millis(1), None));
    assert_eq!(late.expect_err("the derivation takes longer").status(), Status::Timeout);
    idle(&keys);
    assert!(Arc::ptr_eq(&before, &held(&keys).expect("a pair")));
    let late = keys.private_pem(password(), &Wait::new(Duration::from_millis(1), None));
    assert_eq!(late.expect_err("the derivation takes longer").status(), Status::Timeout);
    idle(&keys);
}

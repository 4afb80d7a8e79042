//! `nomyo_config`.

use std::ffi::{c_char, c_void};

use super::arguments::{exclusive, take_back, text};
use super::error::nomyo_error;
use super::guard::{guard, guard_value};
use super::memory::{NOMYO_MEMORY_OFF, NOMYO_MEMORY_PREFER, NOMYO_MEMORY_REQUIRE};
use crate::client::{Config, Level};
use crate::error::{Error, Result};
use crate::memory::Policy;

/// Log level: something failed.
pub const NOMYO_LOG_ERROR: i32 = 1;
/// Log level: something is less safe than it could be, or is tried again.
pub const NOMYO_LOG_WARN: i32 = 2;
/// Log level: what happened.
pub const NOMYO_LOG_INFO: i32 = 3;
/// Log level: every step.
pub const NOMYO_LOG_DEBUG: i32 = 4;

/// What a client is made of. Belongs to one thread at a time while it is being changed; nomyo_client_new() only reads it
/// and keeps nothing of it.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_config {
    pub(super) config: Config,
}

/// Receives a log line: `data` as given to nomyo_config_set_log(), one of the NOMYO_LOG_ levels, and `len` bytes of
/// UTF-8 that are gone when the function returns and not NUL-terminated. Called on whatever thread the library is
/// called on; must return normally, and of this library may call nothing but the _free functions.
#[expect(non_camel_case_types, reason = "the name in C")]
pub type nomyo_log_fn = Option<unsafe extern "C" fn(data: *mut c_void, level: i32, line: *const c_char, len: usize)>;

/// The caller's log function and its data.
struct Sink {
    write: unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize),
    data: *mut c_void,
}

// SAFETY: the caller promises that the function may be called with its data on any thread (nomyo_config_set_log).
unsafe impl Send for Sink {}
// SAFETY: as above, and at once on several.
unsafe impl Sync for Sink {}

impl Sink {
    fn line(&self, level: Level, line: &str) {
        // SAFETY: the caller promises that the function accepts its data, a level and `len` readable bytes.
        unsafe { (self.write)(self.data, level as i32, line.as_ptr().cast(), line.len()) };
    }
}

/// Changes a configuration.
///
/// # Safety
/// `c` and `err` as in nomyo.h, Conventions.
unsafe fn change(
    c: *mut nomyo_config,
    err: *mut *mut nomyo_error,
    body: impl FnOnce(&mut Config) -> Result<()>,
) -> i32 {
    // SAFETY: by the contract above.
    guard(err, || body(&mut unsafe { exclusive(c, "config") }?.config))
}

/// Makes a configuration with the defaults, and nothing from the environment.
///
/// Any thread; blocks on nothing. Free it with nomyo_config_free(). NULL after an internal error.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_config_new() -> *mut nomyo_config {
    guard_value(std::ptr::null_mut(), || {
        defaults().map_or(std::ptr::null_mut(), |config| Box::into_raw(Box::new(nomyo_config { config })))
    })
}

/// The defaults of a caller from C.
pub(super) fn defaults() -> Result<Config> {
    let mut config = Config::new()?;
    config.set_binding(concat!("c/", env!("CARGO_PKG_VERSION")))?;
    Ok(config)
}

/// Frees a configuration and wipes the API key and the key password in it. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_free(c: *mut nomyo_config) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(c) });
}

/// Reads the environment variables NOMYO_API_KEY, NOMYO_BASE_URL, NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD and
/// NOMYO_SERVER_KEY_PIN (one pin or several, with commas between them, instead of those set so far); what is unset or empty
/// changes nothing.
///
/// Blocks on nothing. Not while another thread changes the environment.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a value cannot be used. Nothing is changed then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_load_env(c: *mut nomyo_config, err: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, Config::load_env) }
}

/// Sets what to do about locking secrets in memory: one of NOMYO_MEMORY_OFF, _PREFER, _REQUIRE. Default: PREFER.
///
/// The memory is the process's, not the client's: in force is the strictest policy of the clients that are alive. Under
/// REQUIRE, a call is refused with NOMYO_ERR_SECURITY before it begins as long as the system refuses a lock, and an
/// answer is not opened into memory that cannot be locked; the error says how to raise the limit.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_memory_policy(
    c: *mut nomyo_config,
    policy: i32,
    err: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        config.set_memory_policy(match policy {
            NOMYO_MEMORY_OFF => Policy::Off,
            NOMYO_MEMORY_PREFER => Policy::Prefer,
            NOMYO_MEMORY_REQUIRE => Policy::Require,
            _ => return Err(Error::argument("policy is not one of NOMYO_MEMORY_OFF, _PREFER, _REQUIRE")),
        });
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, set) }
}

/// Sends log lines of `level` and more important ones to `fn`, with `data`. Default, and for a NULL `fn`: nowhere. No
/// line holds a prompt, an answer, a key, a password, or the server's words.
///
/// ERROR: a call failed, in the words of its error. WARN: an attempt failed and another one follows; keys that are due could
/// not be replaced; a client uses `http://`. INFO: an attempt ended, as `POST <url> attempt=1 payload_id=<id> status=200
/// sent=<bytes> received=<bytes> ms=<milliseconds> connection=new`, with status=0 and the error's kind when there was no
/// answer; a call was cancelled. DEBUG: an attempt begins, or waits. The words may change; the names before `=` stay.
///
/// `fn` may be called on several threads at once, until the last client made from this configuration is freed, and so
/// long `data` must stay valid.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `level` is none of the NOMYO_LOG_ numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_log(
    c: *mut nomyo_config,
    level: i32,
    r#fn: nomyo_log_fn,
    data: *mut c_void,
    err: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        let level = match level {
            NOMYO_LOG_ERROR => Level::Error,
            NOMYO_LOG_WARN => Level::Warn,
            NOMYO_LOG_INFO => Level::Info,
            NOMYO_LOG_DEBUG => Level::Debug,
            _ => return Err(Error::argument("level is not one of the NOMYO_LOG_ numbers")),
        };
        match r#fn {
            Some(write) => {
                let sink = Sink { write, data };
                config.set_log(level, move |level, line| sink.line(level, line));
            }
            None => config.set_log(level, |_, _| {}),
        }
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, set) }
}

/// Sets what the User-Agent calls the caller: `name/version`, at most 64 letters, digits and `. - + _` around one `/`.
/// For language bindings. Default: `c/` and the library's version.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_binding(
    c: *mut nomyo_config,
    binding: *const c_char,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(c, err, |config| config.set_binding(text(binding, "binding")?)) }
}

mod network;

mod keys;

mod attestation;

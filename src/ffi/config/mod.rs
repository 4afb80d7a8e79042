//! `nomyo_config`.

use std::ffi::{c_char, c_void};

use super::arguments::{exclusive, text};
use super::error_handle::nomyo_error;
use super::guard::{guard, guard_new, guard_value};
use super::handle::{give, release};
use super::memory::{NOMYO_MEMORY_OFF, NOMYO_MEMORY_PREFER, NOMYO_MEMORY_REQUIRE};
use crate::client::{Config, LogLevel};
use crate::error::{Error, Result};
use crate::memory::MemoryPolicy;

/// Log level: something failed.
pub const NOMYO_LOG_ERROR: i32 = 1;
/// Log level: something is less safe than it could be, or is tried again.
pub const NOMYO_LOG_WARN: i32 = 2;
/// Log level: what happened.
pub const NOMYO_LOG_INFO: i32 = 3;
/// Log level: every step.
pub const NOMYO_LOG_DEBUG: i32 = 4;

/// The settings of a client. Belongs to one thread at a time while it is being changed; nomyo_client_new() only reads it
/// and keeps nothing of it.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_config {
    pub(super) config: Config,
}

/// Receives a log line: `data` as given to nomyo_config_set_log(), one of the NOMYO_LOG_ levels, and `len` bytes of
/// UTF-8 that are gone when the function returns and not NUL-terminated. Runs on the thread that called the library; must
/// return normally.
///
/// The function may call only the _free functions of this library. It may free the handles that the call uses: the client, the
/// configuration, the options, the sealed request, a cancel handle. The call keeps these handles until it returns. Memory that
/// was passed to the call by address (the request, a password, a key) must stay until the call returns, also if it came from
/// nomyo_secret_alloc(). Do not free a handle that another thread uses.
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
    fn line(&self, level: LogLevel, line: &str) {
        // SAFETY: the caller promises that the function accepts its data, a level and `len` readable bytes.
        unsafe { (self.write)(self.data, level as i32, line.as_ptr().cast(), line.len()) };
    }
}

/// Changes a configuration.
///
/// # Safety
/// `config` and `error` as in nomyo.h, Conventions.
unsafe fn change(
    config: *mut nomyo_config,
    error: *mut *mut nomyo_error,
    body: impl FnOnce(&mut Config) -> Result<()>,
) -> i32 {
    // SAFETY: by the contract above.
    guard(error, || body(&mut unsafe { exclusive(config, "config") }?.config))
}

/// Makes a configuration with the defaults, and nothing from the environment.
///
/// Any thread; blocks on nothing. Free it with nomyo_config_free(). NULL after an internal error, or
/// if there is no memory.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_config_new() -> *mut nomyo_config {
    guard_new(|| defaults().map_or(std::ptr::null_mut(), |config| give(nomyo_config { config })))
}

/// The defaults of a caller from C.
pub(super) fn defaults() -> Result<Config> {
    let mut config = Config::new();
    config.set_binding(concat!("c/", env!("CARGO_PKG_VERSION")))?;
    Ok(config)
}

/// Frees a configuration and wipes the API key and the key password in it. NULL does nothing.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_free(config: *mut nomyo_config) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { release(config) });
}

/// Reads the environment. No other function of this library reads a variable.
///
/// | variable                                       | sets                                                             |
/// |------------------------------------------------|------------------------------------------------------------------|
/// | NOMYO_API_KEY, NOMYO_BASE_URL                  | the API key, the server                                          |
/// | NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD              | the key directory, its password                                  |
/// | NOMYO_KEY_GROUP_READ                           | 1, true, yes or on: as nomyo_config_set_key_group_read() with 1;  |
/// |                                                | 0, false, no or off: with 0                                      |
/// | NOMYO_SERVER_KEY_PIN, NOMYO_TLS_PIN            | pins, with commas between them, instead of those set so far      |
/// | HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY   | the proxy, unless nomyo_config_set_proxy() was called            |
/// | SSL_CERT_FILE, SSL_CERT_DIR                    | the trust store, unless nomyo_config_set_ca_file() was called    |
///
/// A variable that is unset or empty changes nothing. The proxy variables are read in small letters first: `https_proxy` (for
/// an `http://` server `http_proxy`), otherwise `all_proxy`, unless `no_proxy` names the server by its name, a domain above
/// it, its address or a network. HTTP_PROXY in capitals is ignored if REQUEST_METHOD is set, because it is a header of the
/// request in a CGI program. A proxy that cannot be used is reported by nomyo_client_new(). The proxy in the settings of Windows
/// or macOS is not read.
///
/// One thread at a time; blocks on nothing. No other thread may change the environment meanwhile.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a value cannot be used. Nothing is changed then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_load_env(config: *mut nomyo_config, error: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, Config::load_env) }
}

/// Sets what to do about locking secrets in memory: one of NOMYO_MEMORY_OFF, _PREFER, _REQUIRE. Default: PREFER.
///
/// The memory is the process's, not the client's: in force is the strictest policy of the clients that are alive.
///
/// Under REQUIRE, a call is refused with NOMYO_ERR_SECURITY if the system refuses a lock that the call needs. The error says how
/// to raise the limit. Calls that need no more memory go on. The memory for an answer is locked when the answer has arrived, so
/// that a large one can be refused after the server has done the work; nomyo_error_sent() tells.
///
/// Under PREFER, what could not be locked is locked as soon as other memory is given back.
///
/// The need of locked memory, measured with the release library: 0.5 MiB for a client, 0.13 MiB for each call under way with a
/// prompt of 2 KiB, 0.1 MiB for each idle connection (at most 48 are kept), and the size of each answer. Thus 32 calls at
/// once fit into 8 MiB, and 4 into 1 MiB.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another number.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_memory_policy(
    config: *mut nomyo_config,
    policy: i32,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        config.set_memory_policy(match policy {
            NOMYO_MEMORY_OFF => MemoryPolicy::Off,
            NOMYO_MEMORY_PREFER => MemoryPolicy::Prefer,
            NOMYO_MEMORY_REQUIRE => MemoryPolicy::Require,
            _ => return Err(Error::argument("policy is not one of NOMYO_MEMORY_OFF, _PREFER, _REQUIRE")),
        });
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, set) }
}

/// Sends log lines of `level` and more important ones to `fn`, with `data`. Default, and for a NULL `fn`: nowhere. No
/// line holds a prompt, an answer, a key, a password, or the server's words.
///
/// ERROR: a call of a function with a client failed, in the words of its error. WARN: an attempt failed and another is due;
/// keys that are due could not be replaced; a client uses `http://`. INFO: an attempt ended, as `POST <url> attempt=1
/// payload_id=<id> status=200 sent=<bytes> received=<bytes> ms=<milliseconds> connection=new`, with status=0 and the error's
/// kind if there was no response; a call was cancelled. DEBUG: an attempt begins, or waits. The words may change; the names
/// before `=` stay.
///
/// `fn` may be called on several threads at once, until the last client made from this configuration is freed, and so
/// long `data` must stay valid. A signal mask that `fn` sets for its thread is lost when the call ends.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `level` is none of the NOMYO_LOG_ numbers.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_log(
    config: *mut nomyo_config,
    level: i32,
    r#fn: nomyo_log_fn,
    data: *mut c_void,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |config: &mut Config| {
        let level = match level {
            NOMYO_LOG_ERROR => LogLevel::Error,
            NOMYO_LOG_WARN => LogLevel::Warn,
            NOMYO_LOG_INFO => LogLevel::Info,
            NOMYO_LOG_DEBUG => LogLevel::Debug,
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
    unsafe { change(config, error, set) }
}

/// Sets what the User-Agent calls the caller: `name/version`, at most 64 letters, digits and `. - + _` around one `/`.
/// For language bindings. Default: `c/` and the library's version.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_binding(
    config: *mut nomyo_config,
    binding: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(config, error, |config| config.set_binding(text(binding, "binding")?)) }
}

mod network;

mod keys;

mod attestation;

/*
 * nomyo.h: the native client for NOMYO's end-to-end-encrypted chat endpoint.
 *
 * Conventions
 * -----------
 * Handles   nomyo_x is made by nomyo_x_new() or returned by a call, and released by nomyo_x_free(), once.
 *           _free(NULL) does nothing. A pointer that is not NULL must be alive and of the right type: that is the
 *           caller's promise to every function here. Where NULL stands for the defaults, the function says so; check
 *           what a _new returned before it comes to mean that. Answers, sealed requests and errors outlive the client
 *           that they came from.
 * Errors    A function that can fail returns NOMYO_OK or a NOMYO_ERR_ number, and ends with `nomyo_error **err`
 *           (nomyo_memory_info_get() has none, and what returns a pointer returns NULL). `err`
 *           may be NULL. On failure, and only then, `*err` receives an error that the caller frees; all other outputs
 *           are left as they were. On success only outputs are written.
 * Threads   A `const` handle may be shared by any number of threads at once; a non-const one belongs to one thread at
 *           a time. No error is kept per thread.
 * Text      Text that configures is NUL-terminated UTF-8. Secrets and JSON are a pointer and a length: NULL with 0 is
 *           empty, NULL with more is NOMYO_ERR_ARGUMENT. Returned text is NUL-terminated and has a length, lives in the
 *           handle that returned it, and is NULL when absent. Nothing that is passed in is kept, unless it says so.
 * Secrets   Plaintext leaves the library only inside a handle whose _free wipes it. Where memory must be locked
 *           (NOMYO_MEMORY_REQUIRE) and the system refuses, every function with a client is NOMYO_ERR_SECURITY.
 * Process   No signal handler, limit, environment change, exit handler or output. A thread for a moment: when a
 *           connection needs the address of a name, the system's resolver is asked on one that has all signals blocked
 *           and holds nothing but the name. A call that is cancelled or out of time leaves it behind; it ends when the
 *           resolver gives up. One pthread_atfork handler, so that a fork finds no lock of the allocator held. A small
 *           allocation that fails ends the process, as in any Rust program; a large one is NOMYO_ERR_MEMORY. A client
 *           belongs to the process that made it: in a forked child it answers NOMYO_ERR_FORKED, and every prompt, answer,
 *           private key and package's AES key reads as zeros there.
 * Panics    None crosses: it is NOMYO_ERR_INTERNAL, and the client that met it refuses to work from then on.
 */


#ifndef NOMYO_H
#define NOMYO_H

/* Generated from src/ffi by cbindgen; `make header` writes it, CI checks it. Do not edit. */

#include <stddef.h>
#include <stdint.h>

/* Every function here exists, under this name and signature, in every library whose nomyo_abi_version() is this. */

/**
 * The version that this header belongs to: major.
 */
#define NOMYO_VERSION_MAJOR 0

/**
 * The version that this header belongs to: minor.
 */
#define NOMYO_VERSION_MINOR 1

/**
 * The version that this header belongs to: patch.
 */
#define NOMYO_VERSION_PATCH 0

/**
 * The ABI that this header belongs to; the number in `libnomyo.so.0`.
 */
#define NOMYO_ABI_VERSION 0

/**
 * Success.
 */
#define NOMYO_OK 0

/**
 * NULL, bad UTF-8, not a JSON object, empty payload, over 10 MiB, unknown tier, CR/LF in the API key, `stream: true`.
 */
#define NOMYO_ERR_ARGUMENT 1

/**
 * A client was used in a forked child of the process that made it.
 */
#define NOMYO_ERR_FORKED 2

/**
 * The call was cancelled.
 */
#define NOMYO_ERR_CANCELLED 3

/**
 * DNS, TCP, TLS, a reset, or closed without an answer.
 */
#define NOMYO_ERR_CONNECTION 10

/**
 * The connect timeout or the call's deadline passed.
 */
#define NOMYO_ERR_TIMEOUT 11

/**
 * The server's answer is not a valid package or key, or is too large.
 */
#define NOMYO_ERR_PROTOCOL 12

/**
 * HTTP 400.
 */
#define NOMYO_ERR_BAD_REQUEST 20

/**
 * HTTP 401: missing or wrong API key.
 */
#define NOMYO_ERR_AUTHENTICATION 21

/**
 * HTTP 403: not allowed at the requested security tier.
 */
#define NOMYO_ERR_FORBIDDEN 22

/**
 * HTTP 404: no secure endpoint at the base URL.
 */
#define NOMYO_ERR_NOT_FOUND 23

/**
 * HTTP 429: too many requests.
 */
#define NOMYO_ERR_RATE_LIMIT 24

/**
 * HTTP 500.
 */
#define NOMYO_ERR_SERVER 25

/**
 * HTTP 503.
 */
#define NOMYO_ERR_UNAVAILABLE 26

/**
 * Any other HTTP status that is not 200.
 */
#define NOMYO_ERR_HTTP 27

/**
 * The attestation policy requires more than the answer proves; the answer is withheld and wiped, and the prompt has been
 * sent.
 */
#define NOMYO_ERR_ATTESTATION 40

/**
 * `http://` without opt-in, decryption or integrity failure, an answer to another request, a tier below the one asked
 * for, a required lock refused.
 */
#define NOMYO_ERR_SECURITY 60

/**
 * The server's key is not a pinned one, or not the one that is remembered. Nothing was sent.
 */
#define NOMYO_ERR_PIN 61

/**
 * A client key is missing, unreadable, unsafe or too weak, or a pair does not match. Nothing was changed.
 */
#define NOMYO_ERR_KEY 62

/**
 * A file could not be read or written.
 */
#define NOMYO_ERR_IO 63

/**
 * Out of memory.
 */
#define NOMYO_ERR_MEMORY 80

/**
 * A bug in this library. After a panic the client that met it refuses to work.
 */
#define NOMYO_ERR_INTERNAL 99

/**
 * Log level: something failed.
 */
#define NOMYO_LOG_ERROR 1

/**
 * Log level: something is less safe than it could be, or is tried again.
 */
#define NOMYO_LOG_WARN 2

/**
 * Log level: what happened.
 */
#define NOMYO_LOG_INFO 3

/**
 * Log level: every step.
 */
#define NOMYO_LOG_DEBUG 4

/**
 * Attestation level: the answer came without a quote.
 */
#define NOMYO_ATTESTATION_ABSENT 0

/**
 * Attestation level: the server says that it has no quote; or this library was built without attestation.
 */
#define NOMYO_ATTESTATION_UNAVAILABLE 1

/**
 * Attestation level: a check failed. What cannot be decoded is invalid, never unknown.
 */
#define NOMYO_ATTESTATION_INVALID 2

/**
 * Attestation level: the quote is well-formed, was made for this request, is signed by the key that came with it, and
 * covers the register values that came with it. WARNING: it proves no more. Nobody vouches for that key: a program
 * without a TPM can make such a quote, and whoever stands between can pass on somebody else's. It does not prove that a
 * TPM exists, which machine answered, that the values are good, or that the key which the prompt was encrypted to belongs
 * to that machine; and it comes with the answer, when the prompt has long been sent.
 */
#define NOMYO_ATTESTATION_CONSISTENT 3

/**
 * Attestation level: CONSISTENT, and every register of the policy has one of its allowed values. That shows an honest
 * server drifting. WARNING: whoever knows the values can make such a quote without a TPM.
 */
#define NOMYO_ATTESTATION_BASELINE 4

/**
 * Attestation level: reserved. Each answer has an attestation key of its own, so that there is none to pin.
 */
#define NOMYO_ATTESTATION_PINNED 5

/**
 * Attestation level: reserved. The protocol has no certificate of a TPM today.
 */
#define NOMYO_ATTESTATION_CERTIFIED 6

/**
 * Memory policy: do not lock, but wipe.
 */
#define NOMYO_MEMORY_OFF 0

/**
 * Memory policy: lock what the system allows, and say what it refused.
 */
#define NOMYO_MEMORY_PREFER 1

/**
 * Memory policy: refuse to work when a lock is refused.
 */
#define NOMYO_MEMORY_REQUIRE 2

/**
 * Memory level: secrets are wiped when released; no page could be locked, or none was to be.
 */
#define NOMYO_MEMORY_LEVEL_WIPE_ONLY 0

/**
 * Memory level: some of the library's memory is locked and kept out of core dumps, some could not be.
 */
#define NOMYO_MEMORY_LEVEL_PARTIAL 1

/**
 * Memory level: all of the library's memory but ciphertext is locked, and all of it is kept out of core dumps.
 */
#define NOMYO_MEMORY_LEVEL_FULL 2

/**
 * What is asked of a TPM quote. Belongs to one thread at a time while it is being changed.
 */
typedef struct nomyo_attestation_policy nomyo_attestation_policy;

/**
 * Cancels the calls that it was given to. Any number of threads may use it at once; one frees it.
 */
typedef struct nomyo_cancel nomyo_cancel;

/**
 * A client of one server. Any number of threads may use it at once; one frees it, when no call is under way. In a
 * forked child it answers NOMYO_ERR_FORKED to everything but nomyo_client_free().
 */
typedef struct nomyo_client nomyo_client;

/**
 * What a client is made of. Belongs to one thread at a time while it is being changed; nomyo_client_new() only reads it
 * and keeps nothing of it.
 */
typedef struct nomyo_config nomyo_config;

/**
 * Why a call failed. Any number of threads may read it at once; one frees it.
 */
typedef struct nomyo_error nomyo_error;

/**
 * The options of one call, over the client's. Belongs to one thread at a time while it is being changed; any number of
 * calls may read it at once.
 */
typedef struct nomyo_request nomyo_request;

/**
 * A decrypted answer. Any number of threads may read it at once; one frees it. Every pointer taken from it lives until
 * then.
 */
typedef struct nomyo_response nomyo_response;

/**
 * A sealed request: what to send, and what its answer must fit. Holds no plaintext. Any number of threads may read it
 * at once; one frees it.
 */
typedef struct nomyo_sealed nomyo_sealed;

/**
 * A text that is no secret: a public key, a fingerprint. Any number of threads may read it at once; one frees it.
 */
typedef struct nomyo_text nomyo_text;

/**
 * Receives a log line: `data` as given to nomyo_config_set_log(), one of the NOMYO_LOG_ levels, and `len` bytes of
 * UTF-8 that are gone when the function returns and not NUL-terminated. Called on whatever thread the library is
 * called on; must return normally, and of this library may call nothing but the _free functions.
 */
typedef void (*nomyo_log_fn)(void *data, int32_t level, const char *line, size_t len);

/**
 * What the TPM quote of an answer proves, and what it says. A copy: nothing to free. Everything behind `failed_check` is 0
 * unless `level` is at least NOMYO_ATTESTATION_CONSISTENT. Outside the endorsement and platform hierarchies a TPM
 * obfuscates the two counters and the firmware's version with constants of the key, so that they compare with nothing.
 */
typedef struct {
    /**
     * One of the NOMYO_ATTESTATION_ levels.
     */
    int32_t level;
    /**
     * The number of the check that failed, 0 when none did; nomyo_attestation_check_name() names it.
     */
    int32_t failed_check;
    /**
     * How many registers (PCRs) the quote covers.
     */
    uint32_t pcr_count;
    /**
     * How many checks ended in a warning, which lowers no level; the report says which.
     */
    uint32_t warnings;
    /**
     * Milliseconds that the TPM has been powered on in its life.
     */
    uint64_t clock;
    /**
     * The version of the TPM's firmware.
     */
    uint64_t firmware_version;
    /**
     * How often the TPM was reset.
     */
    uint32_t reset_count;
    /**
     * How often it was resumed or restarted without a reset.
     */
    uint32_t restart_count;
    /**
     * 1 when the clock cannot have gone back since it was last seen.
     */
    int32_t clock_safe;
    /**
     * The handle of the hierarchy that the key is a primary of: 0x40000001 owner, 0x4000000B endorsement, 0x40000007
     * null, 0x4000000C platform; 0 when it is no primary as it is described, and then there is a warning.
     */
    uint32_t hierarchy;
} nomyo_attestation;

/**
 * What protects secrets in this process, from what the system calls returned. A copy: nothing to free.
 */
typedef struct {
    /**
     * The policy in force: the strictest of the clients that are alive, NOMYO_MEMORY_PREFER when there is none.
     */
    int32_t policy;
    /**
     * The level reached, one of the NOMYO_MEMORY_LEVEL_ numbers.
     */
    int32_t level;
    /**
     * The system's page size in bytes.
     */
    uint64_t page_size;
    /**
     * RLIMIT_MEMLOCK in bytes; UINT64_MAX when there is no limit.
     */
    uint64_t limit;
    /**
     * Bytes mapped for the library's heap and its secrets.
     */
    uint64_t mapped;
    /**
     * Bytes of them that are locked.
     */
    uint64_t locked;
    /**
     * Bytes of them that the system refused to lock.
     */
    uint64_t refused;
    /**
     * 1 when all of them are excluded from core dumps.
     */
    int32_t dump_excluded;
    /**
     * 1 when prompts, answers, private keys and AES keys read as zeros in a forked child. (The API key does not.)
     */
    int32_t fork_excluded;
} nomyo_memory_info;



#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is loaded, such as `"0.1.0"`.
 *
 * Any thread; blocks on nothing. The text is static: never free it.
 */
const char *nomyo_version(void);

/**
 * The ABI of the library that is loaded; works with headers whose NOMYO_ABI_VERSION is the same.
 *
 * Any thread; blocks on nothing.
 */
uint32_t nomyo_abi_version(void);

/**
 * The name of a status, such as `"NOMYO_ERR_PIN"`, or `"NOMYO_ERR_UNKNOWN"` for a number that is none.
 *
 * Any thread; blocks on nothing. The text is static: never free it.
 */
const char *nomyo_status_name(int32_t status);

/**
 * The status of the failed call, one of the NOMYO_ERR_ numbers; NOMYO_OK for NULL.
 */
int32_t nomyo_error_status(const nomyo_error *e);

/**
 * What happened, and what to do: one sentence of UTF-8, NUL-terminated, never prompt text, keys, memory addresses or
 * the server's words.
 *
 * Lives in `e`: gone with nomyo_error_free(). `""` for NULL.
 */
const char *nomyo_error_message(const nomyo_error *e);

/**
 * The HTTP status of the server's answer; 0 when there was no answer.
 */
int32_t nomyo_error_http_status(const nomyo_error *e);

/**
 * How long the server asked to wait before the next attempt, in milliseconds; -1 when it did not say.
 */
int64_t nomyo_error_retry_after_ms(const nomyo_error *e);

/**
 * 1 when the same call may succeed if it is repeated soon (within two minutes), otherwise 0.
 */
int32_t nomyo_error_retryable(const nomyo_error *e);

/**
 * How many times the network was tried, for the request or for the key fetch before it; 0 when it never was.
 */
uint32_t nomyo_error_attempts(const nomyo_error *e);

/**
 * The body of the server's error answer: at most 64 KiB, NUL-terminated, any bytes. UNTRUSTED: nobody has
 * authenticated it; do not show it as if the server's enclave had said it.
 *
 * `len`, unless NULL, receives its length in bytes without the NUL. Lives in `e`: gone with nomyo_error_free().
 * NULL when there is none.
 */
const char *nomyo_error_details(const nomyo_error *e,
                                size_t *len);

/**
 * Frees an error. NULL does nothing.
 */
void nomyo_error_free(nomyo_error *e);

/**
 * Makes a configuration with the defaults, and nothing from the environment.
 *
 * Any thread; blocks on nothing. Free it with nomyo_config_free(). NULL after an internal error.
 */
nomyo_config *nomyo_config_new(void);

/**
 * Frees a configuration and wipes the API key and the key password in it. NULL does nothing.
 */
void nomyo_config_free(nomyo_config *c);

/**
 * Reads the environment variables NOMYO_API_KEY, NOMYO_BASE_URL, NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD and
 * NOMYO_SERVER_KEY_PIN (one pin or several, with commas between them, instead of those set so far); what is unset or empty
 * changes nothing.
 *
 * Blocks on nothing. Not while another thread changes the environment.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a value cannot be used. Nothing is changed then.
 */
int32_t nomyo_config_load_env(nomyo_config *c,
                              nomyo_error **err);

/**
 * Sets what to do about locking secrets in memory: one of NOMYO_MEMORY_OFF, _PREFER, _REQUIRE. Default: PREFER.
 *
 * The memory is the process's, not the client's: in force is the strictest policy of the clients that are alive. Under
 * REQUIRE, a call is refused with NOMYO_ERR_SECURITY before it begins as long as the system refuses a lock, and an
 * answer is not opened into memory that cannot be locked; the error says how to raise the limit.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another number.
 */
int32_t nomyo_config_set_memory_policy(nomyo_config *c,
                                       int32_t policy,
                                       nomyo_error **err);

/**
 * Sends log lines of `level` and more important ones to `fn`, with `data`. Default, and for a NULL `fn`: nowhere. No
 * line holds a prompt, an answer, a key, a password, or the server's words.
 *
 * ERROR: a call failed, in the words of its error. WARN: an attempt failed and another one follows; keys that are due could
 * not be replaced; a client uses `http://`. INFO: an attempt ended, as `POST <url> attempt=1 payload_id=<id> status=200
 * sent=<bytes> received=<bytes> ms=<milliseconds> connection=new`, with status=0 and the error's kind when there was no
 * answer; a call was cancelled. DEBUG: an attempt begins, or waits. The words may change; the names before `=` stay.
 *
 * `fn` may be called on several threads at once, until the last client made from this configuration is freed, and so
 * long `data` must stay valid.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `level` is none of the NOMYO_LOG_ numbers.
 */
int32_t nomyo_config_set_log(nomyo_config *c,
                             int32_t level,
                             nomyo_log_fn fn,
                             void *data,
                             nomyo_error **err);

/**
 * Sets what the User-Agent calls the caller: `name/version`, at most 64 letters, digits and `. - + _` around one `/`.
 * For language bindings. Default: `c/` and the library's version.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
 */
int32_t nomyo_config_set_binding(nomyo_config *c,
                                 const char *binding,
                                 nomyo_error **err);

/**
 * Sets the server: `https://host[:port][/path]`. Default: `https://api.nomyo.ai`.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: not such a URL, or one with a user name, a query or a fragment.
 */
int32_t nomyo_config_set_base_url(nomyo_config *c, const char *url, nomyo_error **err);

/**
 * Sets the API key, sent as a bearer token. Default, and for a length of 0: none is sent.
 *
 * `key` is copied; wipe yours when you need it no longer.
 *
 * @return NOMYO_OK, NOMYO_ERR_ARGUMENT: longer than 8192 bytes, or anything but visible ASCII in it (a line break
 *         from a file, a space); NOMYO_ERR_MEMORY.
 */
int32_t nomyo_config_set_api_key(nomyo_config *c,
                                 const uint8_t *key,
                                 size_t len,
                                 nomyo_error **err);

/**
 * Allows `http://` (yes not 0), for a server on the same machine. Default: 0.
 *
 * WARNING: without TLS the API key is readable on the way and the server's key can be replaced, and with it the
 * encryption. Each client made so says so through the log function.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `c` is NULL.
 */
int32_t nomyo_config_set_allow_http(nomyo_config *c,
                                    int32_t yes,
                                    nomyo_error **err);

/**
 * Sets how many failed attempts of a call are repeated, key fetch and request together: those that met HTTP 408, 409, 429,
 * 500, 502, 503, 504 or no answer at all, unless the server says `x-should-retry: true` or `false`. Default: 2.
 *
 * The same sealed bytes go out again. Before each repetition the call waits as long as the server's Retry-After says (up to
 * two minutes; longer means no further attempt), otherwise 0.5 s, doubled each time up to 8 s, less up to a quarter by
 * chance. A wait that would outlive the call's timeout is not begun. Never repeated: what had begun to be answered,
 * refused certificates and packages, a name that does not exist, and a second 503 in a row or one that speaks of a rate
 * limit, abuse or a cool-down: nomyo_error_retry_after_ms() is half an hour then. A connection that the server closed while
 * it was idle is replaced once without counting.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: more than 10.
 */
int32_t nomyo_config_set_max_retries(nomyo_config *c,
                                     uint32_t n,
                                     nomyo_error **err);

/**
 * Sets how long a whole call may take, in milliseconds: key fetch, attempts, and the waits between them. Default: 900 000.
 * The first call's key generation comes before it, as it does in nomyo_client_warm_up().
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
 */
int32_t nomyo_config_set_timeout_ms(nomyo_config *c,
                                    uint64_t total,
                                    nomyo_error **err);

/**
 * Sets how long one connection may take to be there, in milliseconds: the server's name, TCP and TLS. Default: 10 000.
 * The addresses of a name are tried in turn, each for its share of the time that is left.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
 */
int32_t nomyo_config_set_connect_timeout_ms(nomyo_config *c,
                                            uint64_t ms,
                                            nomyo_error **err);

/**
 * Sets the proxy: `scheme://[user:password@]host[:port]`, where the scheme is http or https (asked to CONNECT), socks5 or
 * socks5h (which are the same here); what is special in the user name and the password is percent-encoded. `""` is no
 * proxy, whatever the environment says.
 *
 * Default: the environment's, read when a client is made: `https_proxy` or `HTTPS_PROXY` (for an `http://` server
 * `http_proxy` or `HTTP_PROXY`), otherwise `all_proxy` or `ALL_PROXY`, unless `no_proxy` or `NO_PROXY` names the server
 * by its name, a domain above it, its address or a network. The proxy looks the server's name up; it sees TLS, and of
 * that what anybody on the way sees. Its user name and password are in no error and no log line.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: not such a URL.
 */
int32_t nomyo_config_set_proxy(nomyo_config *c,
                               const char *url,
                               nomyo_error **err);

/**
 * Limits how many attempts begin in a second, all threads of the client and its key fetch together: `per_second` in the
 * long run, up to `burst` at once after a pause. Default, and for a `per_second` of 0: no limit.
 *
 * A call waits for its turn, within its timeout; one whose turn would come later is NOMYO_ERR_TIMEOUT at once.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a rate below 0.001, above 1 000 000 or not a number, or a `burst` of 0 with a
 *         rate.
 */
int32_t nomyo_config_set_rate_limit(nomyo_config *c,
                                    double per_second,
                                    uint32_t burst,
                                    nomyo_error **err);

/**
 * Sets the largest answer that is read, in bytes, as it comes over the wire: a package is a third larger than what is in
 * it. A larger one is NOMYO_ERR_PROTOCOL. Default: 67 108 864.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
 */
int32_t nomyo_config_set_response_limit(nomyo_config *c,
                                        uint64_t bytes,
                                        nomyo_error **err);

/**
 * Believes the certificate authorities in the PEM file `pem`, instead of the platform's trust store (where
 * SSL_CERT_FILE is honoured). Certificates are always checked; there is no way to switch that off.
 *
 * Blocks on reading the file, now and not later.
 *
 * @return NOMYO_OK, NOMYO_ERR_IO: it cannot be read, or NOMYO_ERR_ARGUMENT: no certificate in it.
 */
int32_t nomyo_config_set_ca_file(nomyo_config *c, const char *pem, nomyo_error **err);

/**
 * Keeps the client's pair in the directory `dir`, as `private_key.pem` and `public_key.pem`. Default: none; the pair lives
 * in memory, as long as the client.
 *
 * Looked at when the pair is first needed, not here. Both files there: they are loaded (every form that
 * nomyo_client_load_keys() reads). Neither: a pair is generated and saved; the directory, if need be, is made for its
 * owner alone, in a parent that exists. Anything else is an error, and nothing is touched. Several clients and
 * processes may use one directory: they end with one pair. A file `.nomyo.lock` stays in it.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: NULL, or not UTF-8.
 */
int32_t nomyo_config_set_key_dir(nomyo_config *c,
                                 const char *dir,
                                 nomyo_error **err);

/**
 * Sets the password of the private file in the key directory. Default, and for a length of 0: none; the file is then not
 * encrypted, and its mode, 0600, is all that protects it. `pw` (UTF-8, if the SDKs are to read the file) is copied.
 *
 * A password is refused for a file that is not encrypted. One of less than 8 characters is refused when a file is to be
 * written. nomyo_client_new() refuses a password without a directory.
 *
 * @return NOMYO_OK, NOMYO_ERR_ARGUMENT: NULL; NOMYO_ERR_MEMORY.
 */
int32_t nomyo_config_set_key_password(nomyo_config *c,
                                      const uint8_t *pw,
                                      size_t len,
                                      nomyo_error **err);

/**
 * Sets how long a pair is used before a new one takes its place, in the key directory too, in milliseconds; 0 for ever.
 * Default: 86 400 000, a day. Counted from the moment at which this client made or loaded it; pairs from
 * nomyo_client_load_keys() are not replaced.
 *
 * The pair is replaced at the start of a request, by that request; others go on meanwhile, each with the pair that it has
 * named. When another process has replaced the pair in the directory already, that one is taken. When it cannot be
 * replaced, the request uses the old pair, the log says so, and it is tried again a minute later.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `c` is NULL.
 */
int32_t nomyo_config_set_key_rotation_ms(nomyo_config *c,
                                         uint64_t ms,
                                         nomyo_error **err);

/**
 * Accepts a key of the server: SHA-256 of its SubjectPublicKeyInfo (DER), as 64 hexadecimal digits, or as `sha256/` and
 * base64. May be called for several, such as the key in use and the next; with any, every other key is NOMYO_ERR_PIN,
 * and nothing is sent. Default: none; any strong RSA key is accepted.
 *
 * WARNING: without a pin, and without nomyo_config_set_known_servers(), the encryption holds as far as TLS does: whoever
 * can present a certificate that this machine trusts can put a key of his own in the place of the server's.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
 */
int32_t nomyo_config_set_server_key_pin(nomyo_config *c,
                                        const char *sha256_hex,
                                        nomyo_error **err);

/**
 * Remembers the server's key in `file` when it is first used, and refuses any other from then on with NOMYO_ERR_PIN, which
 * shows both fingerprints. Default: none.
 *
 * One line for each server: the base URL, a space, the fingerprint. Made with mode 0600 in a directory that exists; a file
 * that others can write, or a symbolic link, is refused. Several clients and processes may share it; a file `.nomyo.lock`
 * stays beside it. With pins too, a key
 * must satisfy both. nomyo_client_server_key() shows a key before it is used and remembered.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: NULL, or not UTF-8.
 */
int32_t nomyo_config_set_known_servers(nomyo_config *c,
                                       const char *file,
                                       nomyo_error **err);

/**
 * Sets how long the server's key is used before it is fetched again, in milliseconds; 0 for every request. Default:
 * 300 000. It is fetched at once, whatever its age, when the server says that it could not decrypt a request; that
 * request is then sealed and sent once more, if the key is another one and is accepted.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `c` is NULL.
 */
int32_t nomyo_config_set_server_key_ttl_ms(nomyo_config *c,
                                           uint64_t ms,
                                           nomyo_error **err);

/**
 * Sets what is asked of the TPM quote in every answer, also of those that nomyo_open() opens. Default, and for a NULL
 * `p`: nothing; the quote is judged, and the verdict is in the answer.
 *
 * `p` is copied.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: no answer can fulfil it (BASELINE is required, and no value allowed).
 */
int32_t nomyo_config_set_attestation(nomyo_config *c,
                                     const nomyo_attestation_policy *p,
                                     nomyo_error **err);

/**
 * Makes a client from `c`, or from the defaults when `c` is NULL. Copies what it needs of `c`.
 *
 * Any thread; blocks on nothing: keys are generated and connections opened when first needed, or by
 * nomyo_client_warm_up().
 *
 * @param out receives the client; free it with nomyo_client_free().
 * @return NOMYO_OK, NOMYO_ERR_SECURITY: the base URL is `http://` and that is not allowed; NOMYO_ERR_ARGUMENT: `out`
 *         is NULL, there is a key password and no key directory, or the
 *         environment names a proxy that cannot be used; NOMYO_ERR_MEMORY.
 */
int32_t nomyo_client_new(const nomyo_config *c,
                         nomyo_client **out,
                         nomyo_error **err);

/**
 * Frees a client: wipes its keys, closes its idle connections. NULL does nothing. Not while another thread is in a
 * call with it. Safe in a forked child.
 */
void nomyo_client_free(nomyo_client *c);

/**
 * Gets ready for the first call, now: loads or generates the client's RSA-4096 pair (0.7 s on average, several at worst),
 * connects, fetches the server's key.
 *
 * Any thread. Blocks for the key generation and then at most for the client's timeout.
 *
 * @return NOMYO_OK, NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_PROTOCOL: the server's key is not usable;
 *         NOMYO_ERR_PIN: it is not an accepted one; NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory; one
 *         of the HTTP statuses, NOMYO_ERR_FORKED, NOMYO_ERR_ARGUMENT: `c` is NULL; NOMYO_ERR_INTERNAL.
 */
int32_t nomyo_client_warm_up(const nomyo_client *c,
                             nomyo_error **err);

/**
 * Generates an RSA-4096 pair and uses it from now on. `dir` NULL: in memory. Otherwise it is saved in the directory `dir`,
 * which is made if need be and must have no pair yet, with the password `pw` (`len` bytes, at least 8 characters) or, for
 * a length of 0, without encryption; from then on it is rotated there.
 *
 * Files: PKCS#8, with a password PBES2 with PBKDF2-HMAC-SHA-256, 600 000 iterations, and AES-256-CBC, so that OpenSSL and
 * the Python SDK read them; the private one has mode 0600 from its first byte on and appears whole or not at all.
 *
 * Any thread. Blocks for the generation (0.7 s on average, several at worst), and at most a minute for another process
 * that uses the directory. Requests under way keep the pair that they named.
 *
 * @return NOMYO_OK, NOMYO_ERR_KEY: a file of a pair is there already; NOMYO_ERR_IO: cannot be written; NOMYO_ERR_ARGUMENT:
 *         a short password, or one without a directory; NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL. The
 *         pair in use stays then.
 */
int32_t nomyo_client_generate_keys(const nomyo_client *c,
                                   const char *dir,
                                   const uint8_t *pw,
                                   size_t len,
                                   nomyo_error **err);

/**
 * Loads a pair from files and uses it from now on. `public_pem` NULL: the public half comes out of the private one;
 * otherwise it must belong to it. `pw`, `len`: the password, or a length of 0 for a file that is not encrypted.
 *
 * Read are, in PEM, RSA keys of 2048 bits or more: PKCS#8, PKCS#1, PBES2 with PBKDF2 (every PRF) or scrypt, and the form
 * that the JavaScript SDK writes. A private file that other users may read, and a symbolic link, are refused. The files
 * are not changed, and the pair is not rotated by time.
 *
 * Any thread. Blocks on reading, and as long as the password's derivation takes. Requests under way keep the pair that
 * they named.
 *
 * @return NOMYO_OK, NOMYO_ERR_KEY: missing, a wrong or superfluous password, not a strong RSA key, not one pair, unsafe
 *         permissions (the error says the chmod to run); NOMYO_ERR_IO: cannot be read; NOMYO_ERR_ARGUMENT: NULL;
 *         NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL. The pair in use stays then.
 */
int32_t nomyo_client_load_keys(const nomyo_client *c,
                               const char *private_pem,
                               const char *public_pem,
                               const uint8_t *pw,
                               size_t len,
                               nomyo_error **err);

/**
 * Writes a copy of the pair in use to the directory `dir`, which is made if need be and must have no pair yet: to convert a
 * pair, or to set a password. `pw`, `len`, the files, blocking and the statuses are as for nomyo_client_generate_keys().
 * The client goes on with the pair that it has, where it has it.
 */
int32_t nomyo_client_save_keys(const nomyo_client *c,
                               const char *dir,
                               const uint8_t *pw,
                               size_t len,
                               nomyo_error **err);

/**
 * Replaces the pair by a new one now, in its key directory too; a pair from nomyo_client_load_keys() is replaced by one in
 * memory. Requests under way keep the pair that they named; the old one is wiped when the last of them is over.
 *
 * Any thread. Blocks as nomyo_client_generate_keys().
 *
 * @return NOMYO_OK, NOMYO_ERR_KEY: what is in the directory cannot be loaded, and so is not replaced; NOMYO_ERR_IO: it
 *         cannot be written; NOMYO_ERR_ARGUMENT: `c` is NULL, or the password is too short to write with;
 *         NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL. The pair in use stays then.
 */
int32_t nomyo_client_rotate_keys(const nomyo_client *c,
                                 nomyo_error **err);

/**
 * The public half of the pair in use, as SubjectPublicKeyInfo PEM. Loads or generates the pair if there is none yet, and
 * blocks for that.
 *
 * Any thread.
 *
 * @param out receives the text; free it with nomyo_text_free().
 * @return NOMYO_OK, NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory; NOMYO_ERR_ARGUMENT: NULL; NOMYO_ERR_FORKED,
 *         NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
 */
int32_t nomyo_client_public_key(const nomyo_client *c,
                                nomyo_text **out,
                                nomyo_error **err);

/**
 * The server's key, as SubjectPublicKeyInfo PEM, and its fingerprint: SHA-256 of the SubjectPublicKeyInfo (DER) as 64
 * hexadecimal digits, which is what nomyo_config_set_server_key_pin() takes. Compare it with what the operator says,
 * before the first use: this fetches the key unless it is there, sends nothing else, and remembers nothing among the
 * known servers.
 *
 * Any thread. Blocks for at most the client's timeout.
 *
 * @param pem        receives the PEM; may be NULL. Free it with nomyo_text_free().
 * @param sha256_hex receives the fingerprint; may be NULL. Free it with nomyo_text_free().
 * @return NOMYO_OK, NOMYO_ERR_PIN: the key is not an accepted one (the error shows its fingerprint); the statuses of
 *         nomyo_client_warm_up().
 */
int32_t nomyo_client_server_key(const nomyo_client *c,
                                nomyo_text **pem,
                                nomyo_text **sha256_hex,
                                nomyo_error **err);

/**
 * Sends one chat request, encrypted, and waits for the whole answer.
 *
 * `json` is the OpenAI-style request body: a JSON object of `len` bytes of UTF-8, at most 10 MiB and 128 levels deep,
 * read while the call lasts and not kept. Its members `security_tier` and `api_key` act as the options of
 * that name and are not sent; `base_url` is refused; everything else goes through byte for byte, encrypted.
 *
 * Any thread, several at once. Blocks at most for the call's timeout, and before that, the first time and when the pair
 * is due, for the key generation. Installs no signal handler.
 *
 * @param options may be NULL; read only during the call.
 * @param out     receives the answer; free it with nomyo_response_free(), which wipes it.
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT, NOMYO_ERR_FORKED: nothing was sent;
 *         - NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED: the request may have reached the server;
 *         - NOMYO_ERR_BAD_REQUEST, _AUTHENTICATION, _FORBIDDEN, _NOT_FOUND, _RATE_LIMIT, _SERVER, _UNAVAILABLE,
 *           _HTTP: the server refused it, or the key fetch before it;
 *         - NOMYO_ERR_PROTOCOL: the server's key (nothing was sent) or answer is not what the protocol has;
 *         - NOMYO_ERR_PIN: the server's key is not an accepted one; the request did not leave;
 *         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the client's key directory, or the file of known servers; nothing was sent;
 *         - NOMYO_ERR_ATTESTATION: the configuration's policy requires more than the answer's TPM quote proves; the answer
 *           is wiped, and the prompt has been sent;
 *         - NOMYO_ERR_SECURITY: the answer does not decrypt, belongs to another request, or was made at a lower tier
 *           than the one asked for (the HTTP status is 200 then: the prompt has been sent), or a lock is required
 *           and refused;
 *         - NOMYO_ERR_MEMORY: at any step; NOMYO_ERR_INTERNAL: a bug.
 */
int32_t nomyo_create(const nomyo_client *c,
                     const uint8_t *json,
                     size_t len,
                     const nomyo_request *options,
                     nomyo_response **out,
                     nomyo_error **err);

/**
 * The text: UTF-8, NUL-terminated. `len`, unless NULL, receives its length in bytes without the NUL. Lives in `t`. NULL
 * for NULL.
 */
const char *nomyo_text_data(const nomyo_text *t,
                            size_t *len);

/**
 * Frees a text. NULL does nothing.
 */
void nomyo_text_free(nomyo_text *t);

/**
 * Makes options that change nothing yet.
 *
 * Any thread; blocks on nothing. Free them with nomyo_request_free(). NULL after an internal error.
 */
nomyo_request *nomyo_request_new(void);

/**
 * Frees options and wipes the API key in them. NULL does nothing.
 */
void nomyo_request_free(nomyo_request *r);

/**
 * Asks for a security tier: `standard`, `high` or `maximum`. Default: none; the server chooses. An answer that says
 * it was made at a lower or an unknown tier is withheld (NOMYO_ERR_SECURITY); one that does not say is not.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another text (case counts), or NULL.
 */
int32_t nomyo_request_set_security_tier(nomyo_request *r,
                                        const char *tier,
                                        nomyo_error **err);

/**
 * Uses another API key than the client's; a length of 0 sends none. `key` is copied.
 *
 * @return NOMYO_OK, NOMYO_ERR_ARGUMENT: longer than 8192 bytes, or anything but visible ASCII in it; NOMYO_ERR_MEMORY.
 */
int32_t nomyo_request_set_api_key(nomyo_request *r,
                                  const uint8_t *key,
                                  size_t len,
                                  nomyo_error **err);

/**
 * Uses another timeout than the client's for the whole call, in milliseconds.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
 */
int32_t nomyo_request_set_timeout_ms(nomyo_request *r, uint64_t total, nomyo_error **err);

/**
 * Lets `cancel` end the calls made with these options. It is shared, not taken: free yours when you like.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: NULL.
 */
int32_t nomyo_request_set_cancel(nomyo_request *r, const nomyo_cancel *cancel, nomyo_error **err);

/**
 * Makes one that is not triggered.
 *
 * Any thread; blocks on nothing. Free it with nomyo_cancel_free(). NULL after an internal error.
 */
nomyo_cancel *nomyo_cancel_new(void);

/**
 * Ends the calls under way whose options have `c`, and every later one, with NOMYO_ERR_CANCELLED. It stays triggered. A
 * call that generates keys ends when that is over; any other, whatever it waits for (a name, a connection, the server, its
 * turn, another thread's key fetch), at once or within a twentieth of a second. NULL does nothing.
 *
 * Any thread; blocks on nothing. Not from a signal handler.
 */
void nomyo_cancel_trigger(const nomyo_cancel *c);

/**
 * Frees one. NULL does nothing. Calls and options that have it keep it.
 */
void nomyo_cancel_free(nomyo_cancel *c);

/**
 * The whole answer as JSON, with the client's members merged into its `_metadata`: `payload_id`, `processed_at`,
 * `is_encrypted`, `encryption_algorithm`.
 *
 * Any thread; blocks on nothing. NUL-terminated; `len`, unless NULL, receives the length in bytes without the NUL.
 * Lives in `r`. NULL only for a NULL `r`.
 */
const char *nomyo_response_json(const nomyo_response *r,
                                size_t *len);

/**
 * How many choices the answer has; 0 when it has none, or for NULL.
 */
size_t nomyo_response_choices(const nomyo_response *r);

/**
 * The text of a choice: its message's `content`, unescaped to UTF-8 (a lone surrogate reads as U+FFFD).
 *
 * Any thread; blocks on nothing. NUL-terminated, and may hold NULs of its own: use `len`, which, unless NULL, receives
 * the length in bytes. Lives in `r`. NULL when there is no such choice, or its content is null or not a string (with
 * tool calls it usually is null).
 */
const char *nomyo_response_content(const nomyo_response *r,
                                   size_t choice,
                                   size_t *len);

/**
 * What a thinking model thought: the message's `reasoning_content`. Otherwise as nomyo_response_content().
 */
const char *nomyo_response_reasoning(const nomyo_response *r, size_t choice, size_t *len);

/**
 * The message's `tool_calls` as JSON. Otherwise as nomyo_response_content(). NULL when absent or null.
 */
const char *nomyo_response_tool_calls(const nomyo_response *r, size_t choice, size_t *len);

/**
 * Why the choice ended: `stop`, `length`, `tool_calls`, `content_filter`. Otherwise as nomyo_response_content().
 */
const char *nomyo_response_finish_reason(const nomyo_response *r,
                                         size_t choice,
                                         size_t *len);

/**
 * Any value of the answer, as JSON (a string with its quotes and escapes): `rfc6901` is a JSON Pointer such as
 * `/usage/total_tokens`; `""` is the whole answer.
 *
 * Any thread; blocks on nothing. NUL-terminated; `len`, unless NULL, receives the length in bytes. Lives in `r`, one
 * copy for each different pointer. NULL when there is no such value, or `rfc6901` is NULL or not a pointer.
 */
const char *nomyo_response_pointer(const nomyo_response *r,
                                   const char *rfc6901,
                                   size_t *len);

/**
 * The id that the request was sent under: 36 ASCII characters. Lives in `r`. NULL for NULL.
 */
const char *nomyo_response_payload_id(const nomyo_response *r);

/**
 * What the TPM quote in the answer proves; it was judged when the answer was opened. NOMYO_ATTESTATION_CONSISTENT says
 * what that is, and what it is not. `size` is `sizeof *out` as the caller was compiled, as for nomyo_memory_info_get().
 *
 * Any thread; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `r` or `out` is NULL.
 */
int32_t nomyo_response_attestation(const nomyo_response *r,
                                   nomyo_attestation *out,
                                   size_t size);

/**
 * The verdict on the answer's TPM quote as a JSON object: `level` (a name), `meaning` (a sentence for a person),
 * `hardware_rooted` (always false: nothing in the protocol leads to a certified TPM), `failed_check` (a name, or null), and
 * `checks`: for each check in order its `number`, `name`, `result` (`ok`, `warning`, `failed`, `skipped`) and `detail`.
 * The library's own words: nothing in it is quoted from the answer.
 *
 * Any thread; blocks on nothing. NUL-terminated; `len`, unless NULL, receives the length in bytes. Lives in `r`. NULL
 * only for a NULL `r`.
 */
const char *nomyo_response_attestation_report(const nomyo_response *r,
                                              size_t *len);

/**
 * Wipes and frees an answer, and everything that was taken from it. NULL does nothing.
 */
void nomyo_response_free(nomyo_response *r);

/**
 * The name of a level, such as `"CONSISTENT"`; `"UNKNOWN"` for a number that no verdict has.
 *
 * Any thread; blocks on nothing. The text is static: never free it.
 */
const char *nomyo_attestation_level_name(int32_t level);

/**
 * What a level means, in one sentence or two that can be shown to a person; `"UNKNOWN"` for a number that no verdict has.
 *
 * Any thread; blocks on nothing. The text is static: never free it.
 */
const char *nomyo_attestation_level_meaning(int32_t level);

/**
 * The name of a check, such as `"TPM_NONCE_MISMATCH"` for 7018; `"NONE"` for 0 and `"UNKNOWN"` for any other number.
 *
 * Any thread; blocks on nothing. The text is static: never free it.
 */
const char *nomyo_attestation_check_name(int32_t check);

/**
 * Makes a policy that asks nothing: quotes are judged, and no answer is withheld.
 *
 * Any thread; blocks on nothing. Free it with nomyo_attestation_policy_free(). NULL after an internal error.
 */
nomyo_attestation_policy *nomyo_attestation_policy_new(void);

/**
 * Frees a policy. NULL does nothing. Configurations that it was given to keep their copy.
 */
void nomyo_attestation_policy_free(nomyo_attestation_policy *p);

/**
 * Withholds answers that prove less than `level`: NOMYO_ATTESTATION_CONSISTENT, or NOMYO_ATTESTATION_BASELINE, for which
 * nomyo_attestation_policy_allow_pcr() gives the values. An answer that is withheld is NOMYO_ERR_ATTESTATION, and wiped;
 * the message names the first check that failed. WARNING: the quote comes with the answer. When it is withheld, the
 * prompt has been sent and processed.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a lower level, which asks nothing, or one that nothing can reach today.
 */
int32_t nomyo_attestation_policy_require(nomyo_attestation_policy *p,
                                         int32_t level,
                                         nomyo_error **err);

/**
 * Adds a value that a register may have: `bank` is `sha256`, `sha384` or `sha512`, `index` 0 to 15, `hex` the value in hex
 * digits, in either case and without a prefix. Repeatable: a register with several values may have any of them. A register
 * that has one here must be in every quote; an answer whose register has none of its values is INVALID.
 *
 * The values of registers 0 (firmware) and 7 (secure boot) change with updates and settings; 10 (IMA) changes all the
 * time.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another bank; an index above 15 (software can reset registers 16 to 23); not as
 *         many hex digits as the bank's values have.
 */
int32_t nomyo_attestation_policy_allow_pcr(nomyo_attestation_policy *p,
                                           const char *bank,
                                           uint32_t index,
                                           const char *hex,
                                           nomyo_error **err);

/**
 * Judges an attestation block that was received elsewhere: `block_json` (`len` bytes) is the JSON object that an answer
 * has as `_metadata.tpm_attestation`, `payload_id` the id of the request that it was made for. `p` may be NULL: nothing is
 * asked. `size` is `sizeof *out` as the caller was compiled, as for nomyo_memory_info_get().
 *
 * Any thread; blocks on nothing.
 *
 * @param out receives the verdict, INVALID included.
 * @return NOMYO_OK: there is a verdict; NOMYO_ERR_ATTESTATION: the policy requires more, and the message says why;
 *         NOMYO_ERR_ARGUMENT: NULL, text that is not UTF-8, or a policy that no quote can fulfil.
 */
int32_t nomyo_attestation_verify(const uint8_t *block_json,
                                 size_t len,
                                 const char *payload_id,
                                 const nomyo_attestation_policy *p,
                                 nomyo_attestation *out,
                                 size_t size,
                                 nomyo_error **err);

/**
 * Seals a request for the server whose public key is `server_pem` (`pem_len` bytes, SPKI or PKCS#1 PEM, RSA of at
 * least 3072 bits, one of the pinned if there are pins), and sends nothing. Where that key comes from is the caller's
 * business, and the whole security of the request hangs on it.
 *
 * `json`, `len`, `options` as for nomyo_create(); a timeout and an API key in them have no effect. Any thread, several
 * at once. Blocks on nothing but the client's own pair, when it is loaded, generated or due.
 *
 * @param out receives the sealed request; free it with nomyo_sealed_free().
 * @return NOMYO_OK, NOMYO_ERR_ARGUMENT: a bad request, or NULL; NOMYO_ERR_PROTOCOL: not a usable server key, or none;
 *         NOMYO_ERR_PIN: none of the pinned; NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory; NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
 */
int32_t nomyo_seal(const nomyo_client *c,
                   const uint8_t *server_pem,
                   size_t pem_len,
                   const uint8_t *json,
                   size_t len,
                   const nomyo_request *options,
                   nomyo_sealed **out,
                   nomyo_error **err);

/**
 * The HTTP body to POST to `/v1/chat/secure_completion`. It may be sent any number of times.
 *
 * `len`, unless NULL, receives its length in bytes. Lives in `s`. NULL for NULL.
 */
const uint8_t *nomyo_sealed_body(const nomyo_sealed *s, size_t *len);

/**
 * The HTTP headers to send with it, as a JSON object of strings: X-Payload-ID, X-Public-Key, Content-Type and, if a
 * tier was asked for, X-Security-Tier. The API key is not among them: add `Authorization: Bearer ...` yourself.
 *
 * NUL-terminated; `len`, unless NULL, receives the length in bytes. Lives in `s`. NULL for NULL.
 */
const char *nomyo_sealed_headers(const nomyo_sealed *s,
                                 size_t *len);

/**
 * Opens `body` (`len` bytes), the body of the 200 that answered `request`. `c` is the client that sealed it, or
 * another: the pair is the one that the request named.
 *
 * Any thread, several at once; blocks on nothing.
 *
 * @param out receives the answer; free it with nomyo_response_free(), which wipes it.
 * @return NOMYO_OK, NOMYO_ERR_PROTOCOL: not a package; NOMYO_ERR_SECURITY: it does not decrypt, or answers another
 *         request, or was made at a lower tier; NOMYO_ERR_ATTESTATION: it proves less than the policy of `c` requires;
 *         NOMYO_ERR_ARGUMENT: NULL; NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY,
 *         NOMYO_ERR_INTERNAL.
 */
int32_t nomyo_open(const nomyo_client *c,
                   const nomyo_sealed *request,
                   const uint8_t *body,
                   size_t len,
                   nomyo_response **out,
                   nomyo_error **err);

/**
 * Frees a sealed request. NULL does nothing.
 */
void nomyo_sealed_free(nomyo_sealed *s);

/**
 * Reports what is in force. `size` is `sizeof *out` as the caller was compiled: an older or newer caller gets what fits
 * into its struct, and zeros behind what this library knows.
 *
 * Any thread; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `out` is NULL.
 */
int32_t nomyo_memory_info_get(nomyo_memory_info *out,
                              size_t size);

/**
 * Memory for a secret of the caller's: `len` zero bytes between guard pages, excluded from core dumps, zeros in a forked
 * child, locked as the policy in force asks and the system allows. The byte behind it faults when it is touched. Aligned
 * for any type whose size divides `len`.
 *
 * Any thread; blocks on nothing. Each takes at least four pages and four mappings of the process's (65 530 by default
 * on Linux). Free it with nomyo_secret_free(), and with nothing else. A length of 0 gives an address that may not be
 * touched at all.
 *
 * @return the memory, or NULL: no memory (NOMYO_ERR_MEMORY), or the policy requires a lock that the system refuses
 *         (NOMYO_ERR_SECURITY).
 */
void *nomyo_secret_alloc(size_t len,
                         nomyo_error **err);

/**
 * Wipes and frees what nomyo_secret_alloc() returned. NULL does nothing.
 */
void nomyo_secret_free(void *p);

/**
 * Keeps the caller's own memory out of swap: locks the pages that `len` bytes at `p` touch. Locks nest: they are counted
 * per page, and a page is unlocked with its last nomyo_unlock(). Memory locked by other means than this is not counted.
 *
 * Any thread; blocks on the system reading the pages in. Unlock before you free the memory. A forked child inherits no
 * lock.
 *
 * @return NOMYO_OK, NOMYO_ERR_SECURITY: the system refused (RLIMIT_MEMLOCK), and nothing more is locked than before;
 *         NOMYO_ERR_ARGUMENT: NULL with a length.
 */
int32_t nomyo_lock(void *p,
                   size_t len,
                   nomyo_error **err);

/**
 * Undoes one nomyo_lock() of the same range.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a page of it is not locked by nomyo_lock().
 */
int32_t nomyo_unlock(void *p, size_t len, nomyo_error **err);

/**
 * Overwrites `len` bytes at `p` with zeros, in a way that no compiler leaves out. NULL does nothing.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_wipe(void *p, size_t len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* NOMYO_H */

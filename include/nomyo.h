/*
 * nomyo.h: the native client for NOMYO's end-to-end-encrypted chat endpoint.
 *
 * Conventions
 * -----------
 * Handles   nomyo_x is made by nomyo_x_new() or returned by a call, and released by nomyo_x_free(), once.
 *           _free(NULL) does nothing. A pointer that is not NULL must be alive and of the right type: that is the
 *           caller's promise to every function here. Where NULL stands for the defaults, the function says so. Check
 *           every _new() for NULL: a failed nomyo_config_new() passed on would silently select the defaults. Responses,
 *           sealed requests and errors outlive the client that they came from.
 * Errors    A function that can fail returns NOMYO_OK or a NOMYO_ERR_ number, and ends with `nomyo_error **error`.
 *           nomyo_memory_info_get(), nomyo_response_attestation() and nomyo_response_usage() have no `error`. Nor has
 *           nomyo_json_string(), which returns 0 on failure. A function that returns a pointer returns NULL. `error` may be NULL. On failure, and only then, `*error` receives an error that
 *           the caller frees, and all other outputs are left as they were. On success only outputs are written.
 *           nomyo_error_sent() tells whether the request left this process, nomyo_error_payload_id() under which id.
 * Threads   A `const` handle may be shared by any number of threads at once; a non-const one belongs to one thread at
 *           a time. No error is kept per thread.
 * Text      Text that configures is NUL-terminated UTF-8. Secrets and JSON are a pointer and a length: NULL with 0 is
 *           empty, NULL with more is NOMYO_ERR_ARGUMENT. Returned text is NUL-terminated and has a length, lives in the
 *           handle that returned it, and is NULL if absent. Nothing that is passed in is kept, unless it says so.
 * Time      Every function that blocks takes a timeout and a cancel handle: those of the call's options, otherwise those
 *           of the client handle (nomyo_client_with_options()), otherwise the client's timeout. It returns
 *           NOMYO_ERR_TIMEOUT or NOMYO_ERR_CANCELLED within a tenth of a second after the deadline or the cancel. A
 *           triggered cancel ends a call before it begins. All other functions block on nothing, except that
 *           nomyo_config_set_ca_file() and nomyo_config_set_client_certificate() read files, and nomyo_lock() waits for the
 *           system to read pages in.
 *
 *           | function                       | waits for                                                          |
 *           |--------------------------------|--------------------------------------------------------------------|
 *           | nomyo_create()                 | keys, server's key, known servers, turn, retry wait, network       |
 *           | nomyo_client_warm_up()         | keys, server's key, turn, retry wait, network                      |
 *           | nomyo_client_server_key()      | server's key, turn, retry wait, network                            |
 *           | nomyo_client_tls_chain()       | turn, retry wait, network                                          |
 *           | nomyo_client_public_key()      | keys                                                               |
 *           | nomyo_seal()                   | keys, known servers                                                |
 *           | nomyo_client_generate_keys()   | keys                                                               |
 *           | nomyo_client_load_keys()       | keys                                                               |
 *           | nomyo_client_load_keys_pem()   | keys                                                               |
 *           | nomyo_client_save_keys()       | keys                                                               |
 *           | nomyo_client_rotate_keys()     | keys                                                               |
 *           | nomyo_client_private_key_pem() | keys                                                               |
 *
 *           keys: another thread's work on the client's pair; the lock of the key directory, which another process may
 *           hold; the files; the derivation of the password; the generation of a pair (0.7 s on average, several seconds
 *           at worst), if there is none yet or if it is due. server's key: another thread's fetch, the file of known
 *           servers. known servers: that file and, if there is something to remember, its lock. turn: the client's rate
 *           limit. network: the name, TCP, a proxy, TLS, the server.
 * Secrets   Plaintext leaves the library only inside a handle whose _free wipes it. The private key leaves it only in a file,
 *           or in memory that nomyo_secret_free() wipes. Where memory must be locked (NOMYO_MEMORY_REQUIRE) and the system
 *           refuses, every function with a client is NOMYO_ERR_SECURITY.
 * Process   The library installs no signal handler, no exit handler and no ELF destructor. It changes no limit and no
 *           environment variable, and prints nothing. Only nomyo_config_load_env() reads the environment. Calls may be in
 *           flight when the process exits, and a destructor that runs then may make calls.
 *           The library's own threads have all signals blocked. They look up a server's name, work on the client's pair,
 *           and read and write files. A call that is cancelled or out of time may leave such a thread behind. The thread
 *           ends by itself when its work is done.
 * Forks     One pthread_atfork handler keeps a fork from copying a held lock of the allocator or of the random generator.
 *           Therefore fork() waits some milliseconds for operations with RSA keys, key shares and the key of a client
 *           certificate that are in flight.
 *           fork() does not wait until the generation of a pair ends.
 *           fork() is also allowed in a signal handler and in the log function. The child must not return into the
 *           interrupted call: a child that does is ended by abort().
 *           A client belongs to the process that made it. In a forked child the client answers NOMYO_ERR_FORKED, and every
 *           prompt, response, private key and package's AES key reads as zeros. A configuration and request options that
 *           were made before the fork work in the child, but their API key, key password, headers and client certificate must be set again there. Until
 *           then, calls that need them are NOMYO_ERR_FORKED.
 * Signals   While a function computes, signals are blocked on its thread. Signals are delivered while the function waits
 *           (the table above), while it calls the log function, and when it returns. SIGSEGV, SIGBUS, SIGFPE, SIGILL,
 *           SIGTRAP and SIGSYS stay on the calling thread as the caller set them.
 * Stack     The library works on stacks of its own. 16 KiB of the caller's stack are enough, beside the needs of the log
 *           function and of signal handlers. A thread of the library looks up the server's name. If the system has no more
 *           threads, the lookup runs on the caller's stack, and the system's resolver may need more than 16 KiB.
 * Memory    Without memory, or without mappings (vm.max_map_count), a call fails with a status, NOMYO_ERR_MEMORY in most
 *           cases. A call that works on secrets begins only if a reserve of 128 KiB exists for small allocations, because
 *           these cannot report a failure. If the calls in flight use up the reserve, the process ends, as any Rust program
 *           does.
 * Versions  NOMYO_ABI_VERSION is the first number of the version, and the number in `libnomyo.so.0`. It changes only if a
 *           program that was compiled before could break. Under the same number a later library has every function, constant
 *           and member that an earlier one had. New ones may be added: functions, constants, members at the end of a struct,
 *           and NOMYO_ERR_ numbers. Handle a number that you do not know as you handle NOMYO_ERR_INTERNAL.
 * Panics    None crosses: it is NOMYO_ERR_INTERNAL, and the client that met it refuses to work from then on.
 */


#ifndef NOMYO_H
#define NOMYO_H

/* Generated from src/ffi by cbindgen; `make header` writes it, CI checks it. Do not edit. */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
/** Of a function whose result must be looked at: the compiler warns if it is not. */
#define NOMYO_MUST_USE __attribute__((warn_unused_result))
#else
/** Of a function whose result must be looked at. */
#define NOMYO_MUST_USE
#endif



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
 * The ABI that this header belongs to (see Versions, above).
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
 * A parent process made the client, or set the credentials, before a fork.
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
 * HTTP 404: no secure endpoint at the base URL, or no such model. The message tells which.
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
 * The server's key or its certificate chain is not a pinned one, or the key is not the one that is remembered, or the file
 * of known servers cannot be read as one. nomyo_error_sent() tells whether the request had been sent before.
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
 * Sent: no byte of the request's package left this process, in any attempt.
 */
#define NOMYO_SENT_NO 0

/**
 * Sent: bytes of the package left in an attempt that was not answered. The server may have received and processed it.
 */
#define NOMYO_SENT_MAYBE 1

/**
 * Sent: the package left, and every attempt that sent bytes of it was answered. The error tells the last answer.
 */
#define NOMYO_SENT_YES 2

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
 * The options of one call, over the client's. Belongs to one thread at a time while it is being changed; any number of
 * calls may read it at once.
 */
typedef struct nomyo_call_options nomyo_call_options;

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
 * The settings of a client. Belongs to one thread at a time while it is being changed; nomyo_client_new() only reads it
 * and keeps nothing of it.
 */
typedef struct nomyo_config nomyo_config;

/**
 * Why a call failed. Any number of threads may read it at once; one frees it.
 */
typedef struct nomyo_error nomyo_error;

/**
 * A decrypted answer. Any number of threads may read it at once; one thread frees it. Every pointer taken from it stays
 * valid until then.
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
 * UTF-8 that are gone when the function returns and not NUL-terminated. Runs on the thread that called the library; must
 * return normally.
 *
 * The function may call only the _free functions of this library. It may free the handles that the call uses: the client, the
 * configuration, the options, the sealed request, a cancel handle. The call keeps these handles until it returns. Memory that
 * was passed to the call by address (the request, a password, a key) must stay until the call returns, also if it came from
 * nomyo_secret_alloc(). Do not free a handle that another thread uses.
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
 * How many tokens a request has used. A copy: nothing to free. A member is -1 if the answer does not have it as a whole number.
 */
typedef struct {
    /**
     * Tokens of the prompt: `prompt_tokens`.
     */
    int64_t prompt_tokens;
    /**
     * Tokens that the model wrote, reasoning tokens included: `completion_tokens`.
     */
    int64_t completion_tokens;
    /**
     * Both together: `total_tokens`.
     */
    int64_t total_tokens;
    /**
     * Tokens of the prompt that the server had in its cache: `prompt_tokens_details.cached_tokens`.
     */
    int64_t cached_tokens;
    /**
     * Reasoning tokens: `completion_tokens_details.reasoning_tokens`.
     */
    int64_t reasoning_tokens;
} nomyo_usage;

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
     * RLIMIT_MEMLOCK in bytes; UINT64_MAX when there is no limit. On Windows the minimum working set, which the library raises
     * if a lock needs more.
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
     * 1 when all of them are excluded from core dumps. On Windows: from the dumps of Windows Error Reporting (Windows 10 1703 or
     * newer, 512 ranges at most). A dump that another program makes contains them all the same. Always 0 on macOS, which has no
     * such exclusion: the level there is at most NOMYO_MEMORY_LEVEL_PARTIAL.
     */
    int32_t dump_excluded;
    /**
     * 1 when prompts, answers, private keys and AES keys read as zeros in a forked child. (The API key does not.) Always 1 on
     * Windows, where no process is forked. 0 on macOS, where the system does not do it: before fork() returns in the child, the
     * library wipes them there.
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
 *
 * Any thread; blocks on nothing.
 */
int32_t nomyo_error_status(const nomyo_error *error);

/**
 * What happened, and what to do: one sentence of UTF-8, NUL-terminated, never prompt text, keys, memory addresses or
 * the server's words.
 *
 * Lives in `error`: gone with nomyo_error_free(). `""` for NULL.
 *
 * Any thread; blocks on nothing.
 */
const char *nomyo_error_message(const nomyo_error *error);

/**
 * The HTTP status of the server's answer; 0 when there was no answer.
 *
 * Any thread; blocks on nothing.
 */
int32_t nomyo_error_http_status(const nomyo_error *error);

/**
 * How long the server asked to wait before the next attempt, in milliseconds; -1 when it did not say.
 *
 * Any thread; blocks on nothing.
 */
int64_t nomyo_error_retry_after_ms(const nomyo_error *error);

/**
 * 1 when the same call may succeed if it is repeated soon (within two minutes), otherwise 0.
 *
 * Any thread; blocks on nothing.
 */
int32_t nomyo_error_retryable(const nomyo_error *error);

/**
 * How many times the request was sent; if it never was, how many times the server's key was fetched. 0 if the network was
 * not used.
 *
 * Any thread; blocks on nothing.
 */
uint32_t nomyo_error_attempts(const nomyo_error *error);

/**
 * Whether the request left this process: one of NOMYO_SENT_NO, NOMYO_SENT_MAYBE, NOMYO_SENT_YES. NOMYO_SENT_NO for functions
 * that send no request, and for NULL.
 *
 * Send a request again without thinking only after NOMYO_SENT_NO: after NOMYO_SENT_MAYBE the server may have processed it.
 *
 * Any thread; blocks on nothing.
 */
int32_t nomyo_error_sent(const nomyo_error *error);

/**
 * The id of the failed request, as in its X-Payload-ID header and in the server's log: 36 ASCII characters, NUL-terminated.
 *
 * Lives in `error`: gone with nomyo_error_free(). NULL if no request was sealed, and for NULL.
 *
 * Any thread; blocks on nothing.
 */
const char *nomyo_error_payload_id(const nomyo_error *error);

/**
 * The `X-Request-ID` of the last HTTP response, NUL-terminated: the log of a gateway in front of the server has the same. At
 * most 128 visible ASCII characters; a longer one counts as absent. UNTRUSTED: nobody has authenticated it.
 *
 * Lives in `error`: gone with nomyo_error_free(). NULL if there was no such header, and for NULL.
 *
 * Any thread; blocks on nothing.
 */
const char *nomyo_error_request_id(const nomyo_error *error);

/**
 * The value of the header `name`, in any case, of the last HTTP response, NUL-terminated. Otherwise as
 * nomyo_response_header().
 *
 * Lives in `error`: gone with nomyo_error_free(). NULL if there was no such header, and for NULL.
 */
const char *nomyo_error_header(const nomyo_error *error, const char *name);

/**
 * All headers of the last HTTP response, as nomyo_response_headers().
 *
 * Lives in `error`: gone with nomyo_error_free(). NULL if there was no response or no such header, and for NULL.
 */
const char *nomyo_error_headers(const nomyo_error *error,
                                size_t *len);

/**
 * The body of the server's error answer: at most 64 KiB, NUL-terminated, any bytes. UNTRUSTED: nobody has
 * authenticated it; do not show it as if the server's enclave had said it.
 *
 * `len`, unless NULL, receives its length in bytes without the NUL. Lives in `error`: gone with nomyo_error_free().
 * NULL when there is none.
 *
 * Any thread; blocks on nothing.
 */
const char *nomyo_error_details(const nomyo_error *error,
                                size_t *len);

/**
 * Frees an error. NULL does nothing.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_error_free(nomyo_error *error);

/**
 * Makes a configuration with the defaults, and nothing from the environment.
 *
 * Any thread; blocks on nothing. Free it with nomyo_config_free(). NULL after an internal error, or
 * if there is no memory.
 */
NOMYO_MUST_USE nomyo_config *nomyo_config_new(void);

/**
 * Frees a configuration and wipes the API key and the key password in it. NULL does nothing.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_config_free(nomyo_config *config);

/**
 * Reads the environment. No other function of this library reads a variable.
 *
 * | variable                                       | sets                                                             |
 * |------------------------------------------------|------------------------------------------------------------------|
 * | NOMYO_API_KEY, NOMYO_BASE_URL                  | the API key, the server                                          |
 * | NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD              | the key directory, its password                                  |
 * | NOMYO_KEY_GROUP_READ                           | 1, true, yes or on: as nomyo_config_set_key_group_read() with 1;  |
 * |                                                | 0, false, no or off: with 0                                      |
 * | NOMYO_SERVER_KEY_PIN, NOMYO_TLS_PIN            | pins, with commas between them, instead of those set so far      |
 * | HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY   | the proxy, unless nomyo_config_set_proxy() was called            |
 * | SSL_CERT_FILE, SSL_CERT_DIR                    | the trust store, unless nomyo_config_set_ca_file() was called    |
 *
 * A variable that is unset or empty changes nothing. The proxy variables are read in small letters first: `https_proxy` (for
 * an `http://` server `http_proxy`), otherwise `all_proxy`, unless `no_proxy` names the server by its name, a domain above
 * it, its address or a network. HTTP_PROXY in capitals is ignored if REQUEST_METHOD is set, because it is a header of the
 * request in a CGI program. A proxy that cannot be used is reported by nomyo_client_new(). The proxy in the settings of Windows
 * or macOS is not read.
 *
 * One thread at a time; blocks on nothing. No other thread may change the environment meanwhile.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a value cannot be used. Nothing is changed then.
 */
NOMYO_MUST_USE
int32_t nomyo_config_load_env(nomyo_config *config,
                              nomyo_error **error);

/**
 * Sets what to do about locking secrets in memory: one of NOMYO_MEMORY_OFF, _PREFER, _REQUIRE. Default: PREFER.
 *
 * The memory is the process's, not the client's: in force is the strictest policy of the clients that are alive.
 *
 * Under REQUIRE, a call is refused with NOMYO_ERR_SECURITY if the system refuses a lock that the call needs. The error says how
 * to raise the limit. Calls that need no more memory go on. The memory for an answer is locked when the answer has arrived, so
 * that a large one can be refused after the server has done the work; nomyo_error_sent() tells.
 *
 * Under PREFER, what could not be locked is locked as soon as other memory is given back.
 *
 * The need of locked memory, measured with the release library: 0.5 MiB for a client, 0.13 MiB for each call under way with a
 * prompt of 2 KiB, 0.1 MiB for each idle connection (at most 48 are kept), and the size of each answer. Thus 32 calls at
 * once fit into 8 MiB, and 4 into 1 MiB.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another number.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_memory_policy(nomyo_config *config,
                                       int32_t policy,
                                       nomyo_error **error);

/**
 * Sends log lines of `level` and more important ones to `fn`, with `data`. Default, and for a NULL `fn`: nowhere. No
 * line holds a prompt, an answer, a key, a password, or the server's words.
 *
 * ERROR: a call of a function with a client failed, in the words of its error. WARN: an attempt failed and another is due;
 * keys that are due could not be replaced; a client uses `http://`. INFO: an attempt ended, as `POST <url> attempt=1
 * payload_id=<id> status=200 sent=<bytes> received=<bytes> ms=<milliseconds> connection=new`, with status=0 and the error's
 * kind if there was no response; a call was cancelled. DEBUG: an attempt begins, or waits. The words may change; the names
 * before `=` stay.
 *
 * `fn` may be called on several threads at once, until the last client made from this configuration is freed, and so
 * long `data` must stay valid. A signal mask that `fn` sets for its thread is lost when the call ends.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `level` is none of the NOMYO_LOG_ numbers.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_log(nomyo_config *config,
                             int32_t level,
                             nomyo_log_fn fn,
                             void *data,
                             nomyo_error **error);

/**
 * Sets what the User-Agent calls the caller: `name/version`, at most 64 letters, digits and `. - + _` around one `/`.
 * For language bindings. Default: `c/` and the library's version.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_binding(nomyo_config *config,
                                 const char *binding,
                                 nomyo_error **error);

/**
 * Sets the server: `https://host[:port][/path]`. Default: `https://api.nomyo.ai`.
 *
 * The URL is read as the WHATWG URL standard does: the host in lower case, its IDNA A-labels, one form of IPv4 and IPv6
 * addresses, the default port left out. Blanks, backslashes, signs in a port and text behind an address are refused.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: not such a URL, or one with a user name, a query or a fragment.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_base_url(nomyo_config *config,
                                  const char *url,
                                  nomyo_error **error);

/**
 * Sets the API key, sent as a bearer token. Default, and for a length of 0: none is sent.
 *
 * `key` is copied; wipe yours when you need it no longer. The copy belongs to the process that sets it. A forked child
 * must set the key again: until then nomyo_client_new() is NOMYO_ERR_FORKED there.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, NOMYO_ERR_ARGUMENT: longer than 8192 bytes, or anything but visible ASCII in it (a line break
 *         from a file, a space); NOMYO_ERR_MEMORY.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_api_key(nomyo_config *config,
                                 const uint8_t *key,
                                 size_t len,
                                 nomyo_error **error);

/**
 * Adds a header to both requests, the fetch of the server's key and the chat, for a gateway in front of the server. At most 32
 * headers. A `name` that was given before gets the new value. `value` is treated as a secret, and copied. A forked child must set
 * it again: until then nomyo_client_new() is NOMYO_ERR_FORKED there. Default: none.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT: `config` or `name` is NULL; a name that HTTP does not allow (RFC 9110, section 5.6.2); a header
 *           that the client sets itself, or that would change how a body is read; a value with other than visible ASCII
 *           characters and spaces, or of more than 8192 bytes; a 33rd header; NULL with a length;
 *         - NOMYO_ERR_MEMORY, NOMYO_ERR_SECURITY: no locked memory for the copy.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_header(nomyo_config *config,
                                const char *name,
                                const uint8_t *value,
                                size_t len,
                                nomyo_error **error);

/**
 * Allows `http://` (yes not 0), for a server on the same machine. Default: 0.
 *
 * WARNING: without TLS the API key is readable on the way and the server's key can be replaced, and with it the
 * encryption. Each client made so says so through the log function.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `config` is NULL.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_allow_http(nomyo_config *config,
                                    int32_t yes,
                                    nomyo_error **error);

/**
 * Sets how many failed attempts of a call are retried, key fetch and request together. Default: 2.
 *
 * Retried are attempts that met HTTP 408, 409, 425, 429, any 5xx but 501 and 505, or no response at all, unless the server
 * says `x-should-retry: true` or `false`. The same sealed bytes go out again. Before a retry the call waits as long as the
 * server's Retry-After says (up to two minutes; longer means no retry), otherwise 0.5 s, doubled each time up to 8 s, minus
 * up to 25 % jitter. A wait that would outlive the call's timeout is not begun.
 *
 * Not retried: a response that broke off after its first byte; refused certificates and packages; a name that does not
 * exist; a second 503 in a row, or one that speaks of a rate limit, abuse or a cool-down (nomyo_error_retry_after_ms() is
 * half an hour then). With 0, a request whose bytes may have reached the server is never sent again. If a pooled connection
 * turns out to be closed before a byte has left, the request goes out on a fresh one, and that does not count.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: more than 10.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_max_retries(nomyo_config *config,
                                     uint32_t n,
                                     nomyo_error **error);

/**
 * Sets the timeout of a whole call, in milliseconds: the client's keys, the key fetch, attempts, and the waits between them.
 * Default: 900 000. It bounds every function that blocks (see Time, above).
 *
 * There is no idle timeout, because the server sends nothing until its response is complete. A call fails with
 * NOMYO_ERR_CONNECTION if the other side's system acknowledges nothing for 30 s.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_timeout_ms(nomyo_config *config,
                                    uint64_t total,
                                    nomyo_error **error);

/**
 * Sets the timeout for one connection, in milliseconds: the server's name, TCP, a proxy, TLS. Default: 10 000.
 *
 * If a name has several addresses, the next is tried 250 ms after the one before, while that goes on, and the family that
 * worked comes first next time (RFC 8305).
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_connect_timeout_ms(nomyo_config *config,
                                            uint64_t ms,
                                            nomyo_error **error);

/**
 * Sets the proxy: `[scheme://][user:password@]host[:port]`. The scheme is http or https (both are asked to CONNECT), socks5
 * or socks5h (which are the same here); without one it is http. Special characters of the user name and the password are
 * percent-encoded. `""` is no proxy, whatever the environment says. Default: none, or the one that
 * nomyo_config_load_env() finds.
 *
 * The proxy looks the server's name up. It sees only the TLS connection: sizes and timing, no content. Its user name and
 * password are in no error and no log line. The certificate of an https proxy is checked as the server's is, with the same
 * trust store; TLS pins are for the server alone.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: not such a URL, or one with a path.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_proxy(nomyo_config *config,
                               const char *url,
                               nomyo_error **error);

/**
 * Limits how many attempts begin in a second, all threads of the client and its key fetch together: `per_second` in the
 * long run, up to `burst` at once after a pause. Default, and for a `per_second` of 0: no limit.
 *
 * A call waits for its turn, within its timeout. A call whose turn would come later is NOMYO_ERR_TIMEOUT at once, and
 * nomyo_error_retryable() is 0.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a rate below 0.001, above 1 000 000 or not a number, or a `burst` of 0 with a
 *         rate.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_rate_limit(nomyo_config *config,
                                    double per_second,
                                    uint32_t burst,
                                    nomyo_error **error);

/**
 * Sets the largest answer that is read, in bytes, as it comes over the wire: a package is a third larger than what is in
 * it. A larger one is NOMYO_ERR_PROTOCOL. Default: 67 108 864.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_response_limit(nomyo_config *config,
                                        uint64_t bytes,
                                        nomyo_error **error);

/**
 * Trusts the certificate authorities in the PEM file `pem`, instead of the system's trust store. Certificates are always
 * checked; there is no way to switch that off.
 *
 * Reads the file now and not later.
 *
 * One thread at a time; blocks while it reads the file.
 *
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_IO: it cannot be read;
 *         - NOMYO_ERR_ARGUMENT: no certificate in it.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_ca_file(nomyo_config *config,
                                 const char *pem,
                                 nomyo_error **error);

/**
 * Trusts the certificate authorities in a PEM text too, `len` bytes at `pem`, beside the trust store. May be called for several
 * texts. Certificates that are trusted already do no harm.
 *
 * If the system has no trust store at any of its usual places, these authorities alone are trusted. That does not hold for a
 * store that SSL_CERT_FILE or SSL_CERT_DIR names: if it is empty, connections fail.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: no certificate in the text, a certificate that cannot be read as an authority, or
 *         NULL.
 */
NOMYO_MUST_USE
int32_t nomyo_config_add_ca_pem(nomyo_config *config,
                                const uint8_t *pem,
                                size_t len,
                                nomyo_error **error);

/**
 * Shows a client certificate to a server that asks for one (mutual TLS), from two PEM files, which are read now. The client shows
 * it to no proxy. With TLS 1.2 the certificate crosses the network unencrypted; its key never leaves the process. A forked child
 * must set it again: until then nomyo_client_new() is NOMYO_ERR_FORKED there. Default: none.
 *
 * The key is an RSA, ECDSA or Ed25519 key, as PKCS#8, PKCS#1 or SEC 1, without encryption. Its file is judged as
 * nomyo_config_set_key_dir() says; nomyo_config_set_key_group_read() counts if it was called before.
 *
 * One thread at a time; blocks while it reads the files.
 *
 * @param certificate the path of the client's certificate, followed by the intermediate ones.
 * @param key         the path of its private key. It may be the same file.
 * @return NOMYO_OK, or, while the configuration stays as it was,
 *         - NOMYO_ERR_ARGUMENT: NULL; no certificate or not one key in a file; a certificate file that is not a regular file of at
 *           most 1 MiB; an encrypted key; a key of another certificate;
 *         - NOMYO_ERR_KEY: the key file is missing, is larger than 64 KiB, or its mode, owner or directory is not private;
 *         - NOMYO_ERR_IO: a file cannot be read;
 *         - NOMYO_ERR_MEMORY, NOMYO_ERR_SECURITY: no locked memory for the key.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_client_certificate(nomyo_config *config,
                                            const char *certificate,
                                            const char *key,
                                            nomyo_error **error);

/**
 * As nomyo_config_set_client_certificate(), from two PEM texts in memory. Both are copied, and the copies are wiped by
 * nomyo_config_free() and with the last handle of the client. The caller wipes its own memory, with nomyo_wipe().
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT, NOMYO_ERR_MEMORY, NOMYO_ERR_SECURITY as there.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_client_certificate_pem(nomyo_config *config,
                                                const uint8_t *certificate,
                                                size_t certificate_len,
                                                const uint8_t *key,
                                                size_t key_len,
                                                nomyo_error **error);

/**
 * Accepts a certificate of the server: SHA-256 of its SubjectPublicKeyInfo (DER), as `sha256/` and base64 (the form of
 * RFC 7469), or as 64 hexadecimal digits. May be called for several. At least one certificate of the verified chain (leaf,
 * intermediate or root) must have one of the pins. Default: none; every chain that leads to a trusted authority is accepted.
 *
 * Checked in the handshake of each connection, before the API key or the prompt leaves. A chain without a pinned certificate
 * is NOMYO_ERR_PIN, and the message shows the fingerprints of the chain. Through a proxy it pins the server, not the proxy.
 * A pin of the server's key, nomyo_config_add_server_key_pin(), protects the prompt; a TLS pin protects the response too.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
 */
NOMYO_MUST_USE
int32_t nomyo_config_add_tls_pin(nomyo_config *config,
                                 const char *sha256,
                                 nomyo_error **error);

/**
 * Offers the post-quantum key share X25519MLKEM768 in TLS (yes not 0), or does not. Default: 1. A library whose TLS is not
 * AWS-LC's (feature rustcrypto) never offers it.
 *
 * With it the first message of a handshake has some 1400 bytes, and some middleboxes drop a message of that size: the
 * handshake then gets no answer. Without it the message has some 250 bytes, and a recording of the connection may be
 * decrypted by a future quantum computer, except for the package inside, which is encrypted with RSA and AES.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `config` is NULL.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_post_quantum(nomyo_config *config,
                                      int32_t yes,
                                      nomyo_error **error);

/**
 * Keeps the client's pair in the directory `dir`, as `private_key.pem` and `public_key.pem`. Default: none; the pair lives
 * in memory, as long as the client. A relative path is resolved by nomyo_client_new(), once.
 *
 * The directory is looked at when the pair is first needed, not here:
 * - both files are there: they are loaded, in any form that nomyo_client_load_keys() reads;
 * - neither is there: a pair is generated and saved; a directory that is missing is created for its owner alone, in a
 *   parent that exists;
 * - anything else is an error, and nothing is touched.
 *
 * Several clients and processes may use one directory: they end with one pair. A file `.nomyo.lock` stays in it.
 *
 * A call that needs the pair is NOMYO_ERR_KEY unless these rules hold. The error names the path and the command that
 * repairs it:
 * - The directory is not a link, belongs to the effective user or to root, and is writable by nobody else, sticky or not. A
 *   sticky directory on a read-only mount is accepted: so is the root of a Secret volume of Kubernetes.
 * - Each key file belongs to the effective user or to root. The private file gives nothing to its group and to others;
 *   nomyo_config_set_key_group_read() opens one case.
 * - A key file may be a symbolic link if the link, each directory that it leads through and the file belong to the
 *   effective user or to root, and if nobody else can write these directories or they are sticky. A directory whose key
 *   files are links is read-only for this library: no pair is generated or rotated there. When its pair falls due, the
 *   pair is read again.
 *
 * On Windows owners and access control lists are judged instead. The owner is the user of the process, the administrators or
 * the system. No entry of a list may let anybody else change the directory, or read or change the private file. Links are
 * refused, and nomyo_config_set_key_group_read() changes nothing.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT: `config` or `dir` is NULL, or `dir` is not UTF-8.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_key_dir(nomyo_config *config,
                                 const char *dir,
                                 nomyo_error **error);

/**
 * Sets the password of the private file in the key directory. Default, and for a length of 0: none; the file is then not
 * encrypted, and its mode, 0600, is all that protects it. `pw` (`len` bytes) is copied into the vault.
 *
 * A password is bytes, used as they are. Text is not normalised: one word in two Unicode forms is two passwords, as for
 * OpenSSL and the SDKs. The SDKs take UTF-8.
 *
 * A file is read with any password. A file is written only with a password of at least 8 characters and at most 1023
 * bytes, without a NUL: PBKDF2 takes `a` and `a` with a NUL behind it for one password. A password is refused for a file
 * that is not encrypted. nomyo_client_new() refuses a password without a directory.
 *
 * The password belongs to the process that sets it. A forked child must set the password again: until then
 * nomyo_client_new() is NOMYO_ERR_FORKED there.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT: `config` is NULL, or NULL with a length;
 *         - NOMYO_ERR_MEMORY.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_key_password(nomyo_config *config,
                                      const uint8_t *pw,
                                      size_t len,
                                      nomyo_error **error);

/**
 * Sets whether a private file that belongs to root may be readable by its group: mode 0440 or 0640. Default: 0, no. For a
 * Secret volume of Kubernetes, whose files belong to root and to the group `fsGroup`. A private file that its group can
 * write, that others can read, or that belongs to the user and is readable by its group is refused all the same.
 *
 * One thread at a time; blocks on nothing.
 *
 * @param yes  0 for no, anything else for yes.
 *
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT: `config` is NULL.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_key_group_read(nomyo_config *config,
                                        int32_t yes,
                                        nomyo_error **error);

/**
 * Sets how long a pair is used before a new one takes its place, in the key directory too, in milliseconds; 0 means never.
 * Default: 86 400 000, a day. Counted from the moment at which this client made or loaded it. Pairs from
 * nomyo_client_load_keys() and nomyo_client_load_keys_pem() are not replaced.
 *
 * The pair is replaced at the start of a request, by that request. Other requests in flight keep the pair that they named.
 * If another process has replaced the pair in the directory already, that one is taken. If the pair cannot be replaced, or
 * not within half of the call's time and 10 s at most, the request uses the old pair, and the log says so. A replacement
 * that failed is tried again a minute later.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `config` is NULL.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_key_rotation_ms(nomyo_config *config,
                                         uint64_t ms,
                                         nomyo_error **error);

/**
 * Accepts a key of the server: SHA-256 of its SubjectPublicKeyInfo (DER), as 64 hexadecimal digits, or as `sha256/` and
 * base64. May be called for several, such as the key in use and the next; with any, every other key is NOMYO_ERR_PIN. Default: none; any strong RSA key is accepted.
 *
 * WARNING: without a pin, and without nomyo_config_set_known_servers(), the encryption holds as far as TLS does: whoever
 * can present a certificate that this machine trusts can put a key of his own in the place of the server's.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: anything else.
 */
NOMYO_MUST_USE
int32_t nomyo_config_add_server_key_pin(nomyo_config *config,
                                        const char *sha256_hex,
                                        nomyo_error **error);

/**
 * Remembers the server's key in `file` when nomyo_create() first uses it, and refuses any other key from then on with
 * NOMYO_ERR_PIN, which shows both fingerprints. Default: none. With pins too, a key must satisfy both. nomyo_seal() and
 * nomyo_client_server_key() compare with the file and remember nothing.
 *
 * A relative path is resolved by nomyo_client_new(), once. The file is created with mode 0600 in a directory that exists.
 * Several clients and processes may share it. A file `.nomyo.lock` stays beside it.
 *
 * The file is UTF-8, with or without a byte order mark, of at most 64 KiB. Lines end in LF, CRLF or CR. An empty line and a
 * line that begins with `#` are skipped. Every other line is a base URL, blanks, and a fingerprint: SHA-256 of the server's
 * SubjectPublicKeyInfo as 64 hexadecimal digits, or as `sha256/` and base64. URLs are compared in the form that
 * nomyo_config_set_base_url() gives them: upper case, a default port or a slash at the end make no difference.
 *
 * A call that uses the server's key fails unless these rules hold. The error names the path and the command or the line:
 * - NOMYO_ERR_PIN: the file belongs to the effective user or to root, and nobody else can write it.
 * - NOMYO_ERR_PIN: every line can be parsed, and no two lines are about one server.
 * - NOMYO_ERR_KEY: its directory belongs to the effective user or to root and is writable by nobody else, sticky or not.
 * - NOMYO_ERR_IO: a key is to be remembered, and the file can be written and has room for the line.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT: `config` or `file` is NULL, or `file` is not UTF-8.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_known_servers(nomyo_config *config,
                                       const char *file,
                                       nomyo_error **error);

/**
 * Sets how long the server's key is used before it is fetched again, in milliseconds; 0 for every request. Default:
 * 300 000. It is fetched at once, whatever its age, when the server says that it could not decrypt a request; that
 * request is then sealed for the other key and sent again, if that key is accepted and a retry is left.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `config` is NULL.
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_server_key_ttl_ms(nomyo_config *config,
                                           uint64_t ms,
                                           nomyo_error **error);

/**
 * Sets what is asked of the TPM quote in every answer, also of those that nomyo_open() opens. Default, and for a NULL
 * `policy`: nothing; the quote is judged, and the verdict is in the answer.
 *
 * `policy` is copied.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: no answer can fulfil it (BASELINE is required, and no value allowed).
 */
NOMYO_MUST_USE
int32_t nomyo_config_set_attestation(nomyo_config *config,
                                     const nomyo_attestation_policy *policy,
                                     nomyo_error **error);

/**
 * Makes a client from `config`, or from the defaults when `config` is NULL. Copies what it needs of `config`.
 *
 * Any thread; blocks on nothing: keys are generated and connections opened when first needed, or by
 * nomyo_client_warm_up().
 *
 * @param out receives the client; free it with nomyo_client_free().
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_SECURITY: the base URL is `http://` and that is not allowed; or a lock is required and refused;
 *         - NOMYO_ERR_ARGUMENT: `out` is NULL; a key password without a key directory; TLS pins or a client certificate for an
 *           `http://` server; a
 *           path of known servers that names no file; a proxy of the environment that cannot be used;
 *         - NOMYO_ERR_FORKED: a parent process set the API key, the key password, a header or the client
 *           certificate in `config`; set it again in the child;
 *         - NOMYO_ERR_MEMORY.
 */
NOMYO_MUST_USE
int32_t nomyo_client_new(const nomyo_config *config,
                         nomyo_client **out,
                         nomyo_error **error);

/**
 * Makes another handle of `client`, for calls with a timeout and a cancel of their own: every function that blocks
 * takes them from the handle that it is given.
 *
 * The handles share everything: connections, keys, the server's key. The timeout, the cancel, the security tier and the API
 * key of `options` become the defaults of the new handle, over those of `client`; the options of a nomyo_create() or a
 * nomyo_seal() win over them. NULL `options` change nothing. Copies what it needs of `options`.
 *
 * Any thread; blocks on nothing.
 *
 * @param out receives the handle; free it with nomyo_client_free(), before or after `client`.
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT: `client` or `out` is NULL;
 *         - NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_client_with_options(const nomyo_client *client,
                                  const nomyo_call_options *options,
                                  nomyo_client **out,
                                  nomyo_error **error);

/**
 * Frees a handle of a client. The last handle wipes the keys and closes the idle connections. A sealed request keeps the private
 * key of its pair, for nomyo_open(), until nomyo_sealed_free(). NULL does nothing. Not while another thread is in a call with this
 * handle. The log function may free the handle of its own call: the call keeps the handle
 * and frees it at its end. Blocks on nothing. Safe in a forked child.
 */
void nomyo_client_free(nomyo_client *client);

/**
 * Gets ready for the first call, now: loads or generates the client's RSA-4096 pair (0.7 s on average, several at worst),
 * connects, fetches the server's key.
 *
 * Any thread. Blocks for at most the client's timeout.
 *
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, one of the HTTP statuses;
 *         - NOMYO_ERR_PROTOCOL: the server's key is not usable;
 *         - NOMYO_ERR_PIN: the server's key, or its certificate chain, is not an accepted one;
 *         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory;
 *         - NOMYO_ERR_FORKED; NOMYO_ERR_ARGUMENT: `client` is NULL; NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_client_warm_up(const nomyo_client *client,
                             nomyo_error **error);

/**
 * The server's key, as SubjectPublicKeyInfo PEM, and its fingerprint: SHA-256 of the SubjectPublicKeyInfo (DER) as 64
 * hexadecimal digits, which is what nomyo_config_add_server_key_pin() takes. Compare it with what the operator says,
 * before the first use: this fetches the key unless it is there, sends nothing else, and remembers nothing among the
 * known servers. nomyo_client_tls_chain() shows what a TLS pin is.
 *
 * Any thread. Blocks for at most the client's timeout.
 *
 * @param pem        receives the PEM; may be NULL. Free it with nomyo_text_free().
 * @param sha256_hex receives the fingerprint; may be NULL. Free it with nomyo_text_free().
 * @return NOMYO_OK, NOMYO_ERR_PIN: the key is not an accepted one (the error shows its fingerprint); the statuses of
 *         nomyo_client_warm_up().
 */
NOMYO_MUST_USE
int32_t nomyo_client_server_key(const nomyo_client *client,
                                nomyo_text **pem,
                                nomyo_text **sha256_hex,
                                nomyo_error **error);

/**
 * The verified certificate chain of the connection to the server, as a JSON array: for each certificate an object with
 * `role` (`leaf`, `intermediate` or `root`), `sha256` (which nomyo_config_add_tls_pin() takes) and `subject` (RFC 4514).
 * Connects if there was no connection yet. The order is from the leaf to the root.
 *
 * Any thread. Blocks for at most the client's timeout.
 *
 * @param out receives the text; free it with nomyo_text_free().
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT: NULL, or the server is `http://`;
 *         - NOMYO_ERR_PIN: no certificate of the chain is pinned (the error shows the chain);
 *         - the statuses of nomyo_client_warm_up().
 */
NOMYO_MUST_USE
int32_t nomyo_client_tls_chain(const nomyo_client *client,
                               nomyo_text **out,
                               nomyo_error **error);

/**
 * Sends one chat request, encrypted, and waits for the whole answer.
 *
 * `json` is the OpenAI-style request body: a JSON object of `len` bytes of UTF-8, at most 10 MiB and 128 levels deep,
 * read while the call lasts and not kept. Its members `security_tier` and `api_key` act as the options of
 * that name and are not sent; `base_url` is refused; everything else goes through byte for byte, encrypted.
 *
 * Any thread, several at once. Blocks for at most the call's timeout.
 *
 * nomyo_error_sent() tells for every error whether the request had left this process.
 *
 * @param options may be NULL; read only during the call.
 * @param out     receives the response; free it with nomyo_response_free(), which wipes it.
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT, NOMYO_ERR_FORKED: the request was not sent;
 *         - NOMYO_ERR_CONNECTION, NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED: at any step;
 *         - NOMYO_ERR_BAD_REQUEST, _AUTHENTICATION, _FORBIDDEN, _NOT_FOUND, _RATE_LIMIT, _SERVER, _UNAVAILABLE,
 *           _HTTP: the server refused it, or the key fetch before it;
 *         - NOMYO_ERR_PROTOCOL: the server's key or response is not what the protocol has;
 *         - NOMYO_ERR_PIN: the server's key, or its certificate chain, is not an accepted one;
 *         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the client's key directory, or the file of known servers;
 *         - NOMYO_ERR_ATTESTATION: the configuration's policy requires more than the response's TPM quote proves; the
 *           response is wiped, and the server has processed the request;
 *         - NOMYO_ERR_SECURITY: the response does not decrypt, belongs to another request, or was made at a lower tier
 *           than the one asked for (the HTTP status is 200 then, and the server has processed the request); or a lock is
 *           required and refused;
 *         - NOMYO_ERR_MEMORY: at any step; NOMYO_ERR_INTERNAL: a bug.
 */
NOMYO_MUST_USE
int32_t nomyo_create(const nomyo_client *client,
                     const uint8_t *json,
                     size_t len,
                     const nomyo_call_options *options,
                     nomyo_response **out,
                     nomyo_error **error);

/**
 * Generates an RSA-4096 pair and uses it from now on. `dir` NULL: in memory. Otherwise the pair is saved in the directory
 * `dir`, which must have no pair yet, and is rotated there from then on. A directory that is missing is created for its
 * owner alone, in a parent that exists. A relative path is resolved when the call begins.
 *
 * Files: PKCS#8, with a password PBES2 with PBKDF2-HMAC-SHA-256, 600 000 iterations, and AES-256-CBC, so that OpenSSL and
 * the Python SDK read them. The private file has mode 0600 from its first byte on and appears whole or not at all. Owner
 * and mode of the new file are checked before a key is written to it: a file system that ignores modes is refused.
 *
 * @param pw  the password, `len` bytes, as for nomyo_config_set_key_password(): 8 to 1023, none of them NUL. A length of
 *            0 writes the private file without encryption.
 *
 * Any thread. Blocks for at most the client's timeout. Requests in flight keep the pair that they named.
 *
 * @return NOMYO_OK, or, while the pair in use stays and no file is half-written,
 *         - NOMYO_ERR_KEY: a file of a pair is there already;
 *         - NOMYO_ERR_KEY: `dir` is unsafe, as nomyo_config_set_key_dir() says, or its file system ignores modes;
 *         - NOMYO_ERR_IO: the directory or a file cannot be written;
 *         - NOMYO_ERR_ARGUMENT: `client` is NULL; or a password that is too short, too long, has a NUL, or has no directory;
 *         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED: nothing is written later, unless the message says that the writing had
 *           begun and is being completed;
 *         - NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_client_generate_keys(const nomyo_client *client,
                                   const char *dir,
                                   const uint8_t *pw,
                                   size_t len,
                                   nomyo_error **error);

/**
 * Loads a pair from two files and uses it from now on. The files are not changed, and the pair is not rotated by time.
 *
 * Keys are RSA of 2048 to 8192 bits. The private file is PEM, of at most 64 KiB, in one of these forms:
 *
 * | label                 | content                                                                              |
 * |-----------------------|--------------------------------------------------------------------------------------|
 * | PRIVATE KEY           | PKCS#8, version 1 or 2                                                               |
 * | RSA PRIVATE KEY       | PKCS#1, with two primes                                                              |
 * | ENCRYPTED PRIVATE KEY | PKCS#8 with PBES2: PBKDF2 with any PRF, or scrypt                                    |
 * | PRIVATE KEY           | the encrypted form that the JavaScript SDK writes                                    |
 *
 * A byte order mark, CRLF, lines of any length, blank lines, text around the blocks and other blocks are skipped. A file
 * with two private keys is refused. The public file is PEM too: PUBLIC KEY (SubjectPublicKeyInfo) or RSA PUBLIC KEY
 * (PKCS#1).
 *
 * Owner, mode and links are checked as nomyo_config_set_key_dir() says, with one difference: the directory of the file may
 * be writable by others if it is sticky, as `/tmp` is. A relative path is resolved when the call begins.
 *
 * @param private_pem  the path of the private file.
 * @param public_pem   the path of the public file, which must be the other half; NULL: derived from the private one.
 * @param pw           the password, `len` bytes; a length of 0 for a file that is not encrypted.
 *
 * Any thread. Blocks for at most the client's timeout. Requests in flight keep the pair that they named.
 *
 * @return NOMYO_OK, or, while the pair in use stays,
 *         - NOMYO_ERR_KEY: a file is missing, or is too large;
 *         - NOMYO_ERR_KEY: a wrong, a missing or a superfluous password;
 *         - NOMYO_ERR_KEY: not a strong RSA key, numbers that do not fit each other, or not one pair;
 *         - NOMYO_ERR_KEY: unsafe owner, mode or link; the error names the command that repairs it;
 *         - NOMYO_ERR_IO: a file cannot be read;
 *         - NOMYO_ERR_ARGUMENT: `client` or `private_pem` is NULL, or a path is not UTF-8;
 *         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
 *           NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_client_load_keys(const nomyo_client *client,
                               const char *private_pem,
                               const char *public_pem,
                               const uint8_t *pw,
                               size_t len,
                               nomyo_error **error);

/**
 * Loads a pair from PEM texts in memory and uses it from now on: for keys from a secret manager, an environment variable or
 * a file descriptor. The pair is not rotated by time.
 *
 * The forms of the texts are those of nomyo_client_load_keys(). Both texts and the password are copied into the vault at
 * once. The copies are wiped before the call returns, or, after a timeout or a cancel, when the thread at work ends. The
 * caller wipes its own memory, with nomyo_wipe().
 *
 * @param private_pem  the private key, `private_len` bytes, at most 64 KiB.
 * @param public_pem   the public key, `public_len` bytes, at most 64 KiB, which must be the other half. NULL, or a length
 *                     of 0: derived from the private key.
 * @param pw           the password, `len` bytes; a length of 0 for a text that is not encrypted.
 *
 * Any thread. Blocks for at most the client's timeout. Requests in flight keep the pair that they named.
 *
 * @return NOMYO_OK, or, while the pair in use stays,
 *         - NOMYO_ERR_KEY: a wrong, a missing or a superfluous password;
 *         - NOMYO_ERR_KEY: not a strong RSA key, numbers that do not fit each other, or not one pair;
 *         - NOMYO_ERR_ARGUMENT: `client` is NULL; `private_pem` is empty; a text is longer than 64 KiB; NULL with a length;
 *         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
 *           NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_client_load_keys_pem(const nomyo_client *client,
                                   const uint8_t *private_pem,
                                   size_t private_len,
                                   const uint8_t *public_pem,
                                   size_t public_len,
                                   const uint8_t *pw,
                                   size_t len,
                                   nomyo_error **error);

/**
 * The private half of the pair in use, as PKCS#8 PEM: for another process, or for a secret manager. Loads or generates the
 * pair if there is none yet.
 *
 * @param pw       the password, `len` bytes, as for nomyo_client_generate_keys(), which encrypts in the same way. A length
 *                 of 0: the text is the private key itself.
 * @param out      receives memory as nomyo_secret_alloc() gives it. Free it with nomyo_secret_free(), which wipes it. It
 *                 belongs to the caller and may outlive the client.
 * @param out_len  receives the length of the text in bytes. A NUL that is not counted follows the text.
 *
 * Any thread. Blocks for at most the client's timeout.
 *
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory;
 *         - NOMYO_ERR_ARGUMENT: `client`, `out` or `out_len` is NULL; or a password that is too short, too long, or has a NUL;
 *         - NOMYO_ERR_SECURITY: a lock is required and refused;
 *         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_client_private_key_pem(const nomyo_client *client,
                                     const uint8_t *pw,
                                     size_t len,
                                     uint8_t **out,
                                     size_t *out_len,
                                     nomyo_error **error);

/**
 * Writes a copy of the pair in use to the directory `dir`, which is made if need be and must have no pair yet: to convert a
 * pair, or to set a password. `pw`, `len`, the files, blocking and the statuses are as for nomyo_client_generate_keys().
 * The client goes on with the pair that it has, where it has it.
 */
NOMYO_MUST_USE
int32_t nomyo_client_save_keys(const nomyo_client *client,
                               const char *dir,
                               const uint8_t *pw,
                               size_t len,
                               nomyo_error **error);

/**
 * Replaces the pair by a new one now, in its key directory too. A pair from nomyo_client_load_keys() or
 * nomyo_client_load_keys_pem() is replaced by one in memory. Requests in flight keep the pair that they named. The old pair
 * is wiped when the last of these requests is over.
 *
 * Any thread. Blocks for at most the client's timeout.
 *
 * @return NOMYO_OK, or, while the pair in use stays,
 *         - NOMYO_ERR_KEY: the pair in the directory cannot be loaded, and so is not replaced; or its files are links;
 *         - NOMYO_ERR_IO: the directory cannot be written. If the private file was replaced and the public one could not
 *           be, the message says that the new pair is in force in the directory;
 *         - NOMYO_ERR_ARGUMENT: `client` is NULL, or a file cannot be written with the configured password;
 *         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
 *           NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_client_rotate_keys(const nomyo_client *client,
                                 nomyo_error **error);

/**
 * The public half of the pair in use, as SubjectPublicKeyInfo PEM. Loads or generates the pair if there is none yet.
 *
 * Any thread. Blocks for at most the client's timeout.
 *
 * @param out receives the text; free it with nomyo_text_free().
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory;
 *         - NOMYO_ERR_ARGUMENT: `client` or `out` is NULL;
 *         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
 *           NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_client_public_key(const nomyo_client *client,
                                nomyo_text **out,
                                nomyo_error **error);

/**
 * The text: UTF-8, NUL-terminated. `len`, unless NULL, receives its length in bytes without the NUL. Lives in `text`. NULL
 * for NULL.
 *
 * Any thread; blocks on nothing.
 */
const char *nomyo_text_data(const nomyo_text *text,
                            size_t *len);

/**
 * Frees a text. NULL does nothing.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_text_free(nomyo_text *text);

/**
 * Makes options that change nothing yet.
 *
 * Any thread; blocks on nothing. Free them with nomyo_call_options_free(). NULL after an internal error, or
 * if there is no memory.
 */
NOMYO_MUST_USE nomyo_call_options *nomyo_call_options_new(void);

/**
 * Frees options and wipes the API key in them. NULL does nothing.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_call_options_free(nomyo_call_options *options);

/**
 * Asks for a security tier: `standard`, `high` or `maximum`. Default: none; the server chooses. An answer that says
 * it was made at a lower or an unknown tier is withheld (NOMYO_ERR_SECURITY); one that does not say is not.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another text (case counts), or NULL.
 */
NOMYO_MUST_USE
int32_t nomyo_call_options_set_security_tier(nomyo_call_options *options,
                                             const char *tier,
                                             nomyo_error **error);

/**
 * Uses another API key than the client's; a length of 0 sends none. `key` is copied. The copy belongs to the process
 * that sets it. A forked child must set the key again: until then a call with these options is NOMYO_ERR_FORKED there.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, NOMYO_ERR_ARGUMENT: longer than 8192 bytes, or anything but visible ASCII in it; NOMYO_ERR_MEMORY.
 */
NOMYO_MUST_USE
int32_t nomyo_call_options_set_api_key(nomyo_call_options *options,
                                       const uint8_t *key,
                                       size_t len,
                                       nomyo_error **error);

/**
 * Uses another timeout than the client's for the whole call, in milliseconds.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
 */
NOMYO_MUST_USE
int32_t nomyo_call_options_set_timeout_ms(nomyo_call_options *options,
                                          uint64_t total,
                                          nomyo_error **error);

/**
 * Lets `cancel` end the calls made with these options. It is shared, not taken: free yours when you like.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: NULL.
 */
NOMYO_MUST_USE
int32_t nomyo_call_options_set_cancel(nomyo_call_options *options,
                                      const nomyo_cancel *cancel,
                                      nomyo_error **error);

/**
 * Makes one that is not triggered.
 *
 * Any thread; blocks on nothing. Free it with nomyo_cancel_free(). NULL after an internal error, or
 * if there is no memory.
 */
NOMYO_MUST_USE nomyo_cancel *nomyo_cancel_new(void);

/**
 * Ends the calls in flight that have `cancel`, in their options or in those of their client handle, and every later one, with
 * NOMYO_ERR_CANCELLED. It stays triggered. A call returns within a tenth of a second, whatever it waits for. NULL does
 * nothing.
 *
 * Any thread; blocks on nothing. Not from a signal handler.
 */
void nomyo_cancel_trigger(const nomyo_cancel *cancel);

/**
 * Frees one. NULL does nothing. Calls and options that have it keep it.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_cancel_free(nomyo_cancel *cancel);

/**
 * The whole answer as JSON, with the client's members merged into its `_metadata`: `payload_id`, `processed_at`,
 * `is_encrypted`, `encryption_algorithm`.
 *
 * Any thread; blocks on nothing; takes the same time for every answer. The text is NUL-terminated and lives in `response`.
 *
 * @param len unless NULL, receives the length in bytes without the NUL.
 * @return the text; NULL only for a NULL `response`.
 */
const char *nomyo_response_json(const nomyo_response *response,
                                size_t *len);

/**
 * How many choices the answer has: at most 1024. An answer with more choices is refused when it arrives:
 * NOMYO_ERR_PROTOCOL.
 *
 * Any thread; blocks on nothing.
 *
 * @return the number of choices; 0 if `choices` is absent or not an array, or if `response` is NULL.
 */
size_t nomyo_response_choices(const nomyo_response *response);

/**
 * The text of a choice: its message's `content`, unescaped to UTF-8 (a lone surrogate reads as U+FFFD).
 *
 * Any thread; blocks on nothing. The first call for a choice unescapes its text. The length of the rest of the answer
 * costs no time. The text is NUL-terminated and lives in `response`. It may contain NULs of its own: use `len`.
 *
 * @param choice counts from 0.
 * @param len unless NULL, receives the length in bytes without the NUL that ends the text.
 * @return the text; NULL if `response` is NULL, if there is no such choice, if its content is absent, null (usual with tool
 *         calls) or not a string, or if there is no memory for the text.
 */
const char *nomyo_response_content(const nomyo_response *response,
                                   size_t choice,
                                   size_t *len);

/**
 * The thoughts of a reasoning model: the message's `reasoning_content` if it is a string, otherwise the message's
 * `reasoning` if that is a string. Servers use either name. Otherwise as nomyo_response_content().
 */
const char *nomyo_response_reasoning(const nomyo_response *response,
                                     size_t choice,
                                     size_t *len);

/**
 * The message's `tool_calls` as JSON. NULL if they are absent or null. Otherwise as nomyo_response_content().
 */
const char *nomyo_response_tool_calls(const nomyo_response *response, size_t choice, size_t *len);

/**
 * Why the choice ended: `stop`, `length`, `tool_calls`, `content_filter`. Otherwise as nomyo_response_content().
 */
const char *nomyo_response_finish_reason(const nomyo_response *response,
                                         size_t choice,
                                         size_t *len);

/**
 * Any value of the answer, as JSON: a string comes with its quotes and escapes.
 *
 * Any thread; blocks on nothing, but a pointer that is new to `response` costs one walk through the whole answer, and makes
 * other threads with a pointer for `response` wait for it. The text is NUL-terminated and lives in `response`, one copy for each
 * different pointer. If an object has a name twice, the last member counts.
 *
 * @param rfc6901 a JSON Pointer (RFC 6901) such as `/usage/total_tokens`; `""` is the whole answer.
 * @param len unless NULL, receives the length in bytes without the NUL.
 * @return the text; NULL if `response` is NULL, if there is no such value, if `rfc6901` is NULL or not a JSON Pointer, if
 *         there is no memory for the copy, or if this process is a forked child, where the answer reads as zeros.
 */
const char *nomyo_response_pointer(const nomyo_response *response,
                                   const char *rfc6901,
                                   size_t *len);

/**
 * The payload id that the request was sent under: 36 ASCII characters. The text lives in `response`. NULL for a NULL `response`.
 *
 * Any thread; blocks on nothing.
 */
const char *nomyo_response_payload_id(const nomyo_response *response);

/**
 * The `X-Request-ID` of the HTTP response, NUL-terminated: the log of a gateway in front of the server has the same. At most
 * 128 visible ASCII characters; a longer one counts as absent. UNTRUSTED: nobody has authenticated it. The text lives in
 * `response`. NULL if there was no such header, for a response of nomyo_open(), and for NULL.
 *
 * Any thread; blocks on nothing.
 */
const char *nomyo_response_request_id(const nomyo_response *response);

/**
 * The value of the header `name`, in any case, of the HTTP response: what a gateway says of its limits, for example. The text is
 * NUL-terminated and lives in `response`. UNTRUSTED: nobody has authenticated it.
 *
 * Values of the same name become one, with `, ` between them (RFC 9110, section 5.3). A header counts as absent if a value has
 * bytes other than visible ASCII characters, spaces and tabs. Several Set-Cookie headers cannot be told apart again. A value may
 * be a credential: do not log all of them.
 *
 * Any thread; blocks on nothing.
 *
 * @return the value; NULL if there was no such header, for a response of nomyo_open(), and if `response` or `name` is NULL.
 */
const char *nomyo_response_header(const nomyo_response *response,
                                  const char *name);

/**
 * All headers of the HTTP response, as a JSON object of strings: the names in small letters, the values as
 * nomyo_response_header() has them. The text is NUL-terminated and lives in `response`. UNTRUSTED: nobody has authenticated it.
 *
 * Any thread; blocks on nothing.
 *
 * @param len unless NULL, receives the length in bytes without the NUL.
 * @return the text; NULL if there was no such header, for a response of nomyo_open(), and for NULL.
 */
const char *nomyo_response_headers(const nomyo_response *response,
                                   size_t *len);

/**
 * How many times the request was sent, retries included: at least 1, or 0 for a response of nomyo_open() and for NULL.
 *
 * Any thread; blocks on nothing.
 */
uint32_t nomyo_response_attempts(const nomyo_response *response);

/**
 * The verdict on the TPM quote in the answer. It was reached when the answer was opened. NOMYO_ATTESTATION_CONSISTENT
 * says what a quote proves, and what it does not prove.
 *
 * Any thread; blocks on nothing.
 *
 * @param out receives the verdict.
 * @param size `sizeof *out` as the caller was compiled, as for nomyo_memory_info_get().
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `response` or `out` is NULL.
 */
int32_t nomyo_response_attestation(const nomyo_response *response,
                                   nomyo_attestation *out,
                                   size_t size);

/**
 * The verdict on the answer's TPM quote as a JSON object with the members
 *
 * - `level`: a name;
 * - `meaning`: a sentence for a person;
 * - `hardware_rooted`: always false, because nothing in the protocol leads to a certified TPM;
 * - `failed_check`: a name, or null;
 * - `checks`: for each check, in order, its `number`, `name`, `result` (`ok`, `warning`, `failed`, `skipped`) and
 *   `detail`.
 *
 * A check is `ok` only if it was made and held. The report uses the library's own words and quotes nothing from the
 * answer.
 *
 * Any thread; blocks on nothing. The text is NUL-terminated and lives in `response`.
 *
 * @param len unless NULL, receives the length in bytes without the NUL.
 * @return the text; NULL only for a NULL `response`.
 */
const char *nomyo_response_attestation_report(const nomyo_response *response,
                                              size_t *len);

/**
 * Wipes and frees an answer, together with every text that was taken from it. NULL does nothing.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_response_free(nomyo_response *response);

/**
 * How many tool calls the message of a choice has: at most 1024. Further ones are in nomyo_response_tool_calls() alone.
 *
 * Any thread; blocks on nothing. The first call for a choice walks through its tool calls.
 *
 * @param choice counts from 0.
 * @return the number of tool calls; 0 if `response` is NULL, if there is no such choice, if its `tool_calls` is absent or not an
 *         array, or if there is no memory for the list.
 */
size_t nomyo_response_tool_call_count(const nomyo_response *response,
                                      size_t choice);

/**
 * The id of a tool call: the message with the tool's result must name it. `call` counts from 0. Otherwise as
 * nomyo_response_content().
 */
const char *nomyo_response_tool_call_id(const nomyo_response *response,
                                        size_t choice,
                                        size_t call,
                                        size_t *len);

/**
 * The name of the function that a tool call asks for. `call` counts from 0. Otherwise as nomyo_response_content().
 */
const char *nomyo_response_tool_call_name(const nomyo_response *response,
                                          size_t choice,
                                          size_t call,
                                          size_t *len);

/**
 * The arguments of a tool call, unescaped: usually a JSON object, but the model wrote it, and nobody has checked it. `call`
 * counts from 0. Otherwise as nomyo_response_content().
 */
const char *nomyo_response_tool_call_arguments(const nomyo_response *response,
                                               size_t choice,
                                               size_t call,
                                               size_t *len);

/**
 * How many tokens the request has used, as the answer's `usage` says.
 *
 * Any thread; blocks on nothing.
 *
 * @param out receives the numbers.
 * @param size `sizeof *out` as the caller was compiled. Members that this library does not know are -1.
 * @return NOMYO_OK, also if the answer has no `usage`; or NOMYO_ERR_ARGUMENT: `response` or `out` is NULL.
 */
int32_t nomyo_response_usage(const nomyo_response *response, nomyo_usage *out, size_t size);

/**
 * Writes a text as a JSON string (RFC 8259, section 7), with its quotes and a NUL: for requests that are put together with
 * snprintf(). A prompt that is pasted between quotes without it can break the request, or add members to it.
 *
 * Any thread; blocks on nothing. Nothing is allocated or kept. `out` holds the text afterwards: wipe it with nomyo_wipe().
 *
 * @param text the text, `len` bytes of UTF-8.
 * @param out  receives the string, if `size` bytes are enough; otherwise nothing is written. Must not overlap `text`.
 *             May be NULL if `size` is 0.
 * @return the bytes that are needed, the NUL included, at most 6 * `len` + 3; 0 if `text` is not UTF-8, or is NULL with a
 *         length. More than `size` means that nothing was written.
 */
NOMYO_MUST_USE
size_t nomyo_json_string(const uint8_t *text,
                         size_t len,
                         char *out,
                         size_t size);

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
 * Any thread; blocks on nothing. Free it with nomyo_attestation_policy_free(). NULL after an internal error, or
 * if there is no memory.
 */
NOMYO_MUST_USE
nomyo_attestation_policy *nomyo_attestation_policy_new(void);

/**
 * Frees a policy. NULL does nothing. Configurations that it was given to keep their copy.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_attestation_policy_free(nomyo_attestation_policy *policy);

/**
 * Withholds answers that prove less than `level`: NOMYO_ATTESTATION_CONSISTENT, or NOMYO_ATTESTATION_BASELINE, for which
 * nomyo_attestation_policy_allow_pcr() gives the values. An answer that is withheld is NOMYO_ERR_ATTESTATION, and wiped;
 * the message names the first check that failed. WARNING: the quote comes with the answer. When it is withheld, the
 * prompt has been sent and processed.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a lower level, which asks nothing, or one that nothing can reach today.
 */
NOMYO_MUST_USE
int32_t nomyo_attestation_policy_require(nomyo_attestation_policy *policy,
                                         int32_t level,
                                         nomyo_error **error);

/**
 * Adds a value that a register may have: `bank` is `sha256`, `sha384` or `sha512`, `index` 0 to 15, `hex` the value in hex
 * digits, in either case and without a prefix. Repeatable: a register with several values may have any of them. A register
 * that has one here must be in every quote; an answer whose register has none of its values is INVALID.
 *
 * The values of registers 0 (firmware) and 7 (secure boot) change with updates and settings; 10 (IMA) changes all the
 * time.
 *
 * One thread at a time; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another bank; an index above 15 (software can reset registers 16 to 23); not as
 *         many hex digits as the bank's values have.
 */
NOMYO_MUST_USE
int32_t nomyo_attestation_policy_allow_pcr(nomyo_attestation_policy *policy,
                                           const char *bank,
                                           uint32_t index,
                                           const char *hex,
                                           nomyo_error **error);

/**
 * Judges an attestation block that was received elsewhere: `block_json` (`len` bytes) is the JSON object that an answer
 * has as `_metadata.tpm_attestation`, `payload_id` the id of the request that it was made for. `policy` may be NULL: nothing is
 * asked. `size` is `sizeof *out` as the caller was compiled, as for nomyo_memory_info_get().
 *
 * Any thread; blocks on nothing.
 *
 * @param out receives the verdict, INVALID included.
 * @return NOMYO_OK: there is a verdict; NOMYO_ERR_ATTESTATION: the policy requires more, and the message says why;
 *         NOMYO_ERR_ARGUMENT: NULL, text that is not UTF-8, or a policy that no quote can fulfil.
 */
NOMYO_MUST_USE
int32_t nomyo_attestation_verify(const uint8_t *block_json,
                                 size_t len,
                                 const char *payload_id,
                                 const nomyo_attestation_policy *policy,
                                 nomyo_attestation *out,
                                 size_t size,
                                 nomyo_error **error);

/**
 * Seals a request for the server whose public key is `server_pem` (`pem_len` bytes, SPKI or PKCS#1 PEM, RSA of at
 * least 3072 bits, one of the pinned if there are pins), and sends nothing. Where that key comes from is the caller's
 * business, and the whole security of the request hangs on it.
 *
 * `server_pem` is the body of `GET {base URL}/pki/public_key`, which needs no Authorization header. The sealed request goes to
 * `POST {base URL}/v1/chat/secure_completion`, with nomyo_sealed_body() and nomyo_sealed_headers().
 *
 * `json`, `len`, `options` as for nomyo_create(); an API key in them has no effect. The key must satisfy the pins and the
 * file of known servers, which is read and not written.
 *
 * Any thread, several at once. Blocks for at most the call's timeout, on the file of known servers and on the client's own
 * pair. The first call generates the pair, which takes 0.7 s on average and several seconds at worst. To have it ready, call
 * nomyo_client_public_key() before, on another thread: it uses no network.
 *
 * nomyo_error_sent() is NOMYO_SENT_NO for nomyo_seal() and nomyo_open(), because the caller sends.
 *
 * @param out receives the sealed request; free it with nomyo_sealed_free().
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_ARGUMENT: a bad request, or NULL;
 *         - NOMYO_ERR_PROTOCOL: `server_pem` is no usable server key;
 *         - NOMYO_ERR_PIN: the key is none of the pinned, or not the one in the file of known servers;
 *         - NOMYO_ERR_PIN: the file of known servers cannot be used, as nomyo_config_set_known_servers() says;
 *         - NOMYO_ERR_KEY, NOMYO_ERR_IO: the key directory, or the file of known servers;
 *         - NOMYO_ERR_TIMEOUT, NOMYO_ERR_CANCELLED, NOMYO_ERR_FORKED, NOMYO_ERR_SECURITY, NOMYO_ERR_MEMORY,
 *           NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_seal(const nomyo_client *client,
                   const uint8_t *server_pem,
                   size_t pem_len,
                   const uint8_t *json,
                   size_t len,
                   const nomyo_call_options *options,
                   nomyo_sealed **out,
                   nomyo_error **error);

/**
 * The HTTP body to POST to `/v1/chat/secure_completion`. It may be sent any number of times.
 *
 * `len`, unless NULL, receives its length in bytes. Lives in `sealed`. NULL for NULL.
 *
 * Any thread; blocks on nothing.
 */
const uint8_t *nomyo_sealed_body(const nomyo_sealed *sealed, size_t *len);

/**
 * The HTTP headers to send with it, as a JSON object of strings: X-Payload-ID, X-Public-Key, Content-Type and, if a
 * tier was asked for, X-Security-Tier. The API key is not among them: add `Authorization: Bearer ...` yourself.
 *
 * NUL-terminated; `len`, unless NULL, receives the length in bytes. Lives in `sealed`. NULL for NULL.
 *
 * Any thread; blocks on nothing.
 */
const char *nomyo_sealed_headers(const nomyo_sealed *sealed,
                                 size_t *len);

/**
 * Opens `body` (`len` bytes), the body of the 200 that answered `sealed`. `client` is the client that sealed it, or
 * another: the pair is the one that the request named. The body must not be compressed.
 *
 * Any thread, several at once; blocks on nothing. Computes on the calling thread, some milliseconds for each MiB.
 *
 * @param out receives the answer; free it with nomyo_response_free(), which wipes it.
 * @return NOMYO_OK, or
 *         - NOMYO_ERR_PROTOCOL: not a package;
 *         - NOMYO_ERR_SECURITY: it does not decrypt, or answers another request, or was made at a lower tier;
 *         - NOMYO_ERR_ATTESTATION: it proves less than the policy of `client` requires;
 *         - NOMYO_ERR_ARGUMENT: NULL;
 *         - NOMYO_ERR_FORKED, NOMYO_ERR_MEMORY, NOMYO_ERR_INTERNAL.
 */
NOMYO_MUST_USE
int32_t nomyo_open(const nomyo_client *client,
                   const nomyo_sealed *sealed,
                   const uint8_t *body,
                   size_t len,
                   nomyo_response **out,
                   nomyo_error **error);

/**
 * Frees a sealed request. The last user of its key pair wipes the private key. NULL does nothing.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_sealed_free(nomyo_sealed *sealed);

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
NOMYO_MUST_USE
void *nomyo_secret_alloc(size_t len,
                         nomyo_error **error);

/**
 * Wipes and frees the memory that nomyo_secret_alloc() or nomyo_client_private_key_pem() returned. NULL does nothing.
 *
 * Any thread; blocks on nothing.
 */
void nomyo_secret_free(void *p);

/**
 * Keeps the caller's own memory out of swap: locks the pages that `len` bytes at `p` touch. Locks nest: they are counted
 * per page, and a page is unlocked with its last nomyo_unlock(). Memory locked by other means than this is not counted.
 *
 * Any thread; blocks on the system reading the pages in. Unlock before you free the memory. A forked child inherits no
 * lock.
 *
 * @return NOMYO_OK, NOMYO_ERR_SECURITY: the system refused (RLIMIT_MEMLOCK; on Windows the working set), and nothing more is
 *         locked than before;
 *         NOMYO_ERR_ARGUMENT: NULL with a length.
 */
NOMYO_MUST_USE
int32_t nomyo_lock(void *p,
                   size_t len,
                   nomyo_error **error);

/**
 * Undoes one nomyo_lock() of the same range.
 *
 * Any thread; blocks on nothing.
 *
 * @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a page of it is not locked by nomyo_lock().
 */
NOMYO_MUST_USE int32_t nomyo_unlock(void *p, size_t len, nomyo_error **error);

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

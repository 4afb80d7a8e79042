package nomyo

/*
#include "library.h"

extern void nomyoGoLog(uintptr_t, int32_t, char *, size_t);

static void log_line(void *data, int32_t level, const char *line, size_t len) {
	nomyoGoLog((uintptr_t)data, level, (char *)line, len);
}

static int32_t set_log(nomyo_config *c, int32_t level, uintptr_t logger, nomyo_error **err) {
	return nomyo_config_set_log(c, level, log_line, (void *)logger, err);
}
*/
import "C"

import (
	"context"
	"log/slog"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Option is a setting of a client.
type Option func(*config) error

// config is what an Option changes.
type config struct {
	c       *C.nomyo_config
	timeout time.Duration
	logger  *slog.Logger
	places  chan struct{}
}

// WithEnvironment takes settings from environment variables. A variable that is unset or empty changes nothing. Options
// that follow WithEnvironment override it.
//
//   - NOMYO_API_KEY, NOMYO_BASE_URL, NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD
//   - NOMYO_KEY_GROUP_READ: 1, true, yes or on, or 0, false, no or off
//   - NOMYO_SERVER_KEY_PIN, NOMYO_TLS_PIN: one or several, separated by commas
//   - https_proxy, http_proxy, all_proxy, no_proxy, in lower or upper case
//   - SSL_CERT_FILE, SSL_CERT_DIR
//
// Without this option, no client reads any variable: it uses no proxy, and the system's trust store at its usual places.
//
// NewClient with this option must not run while another goroutine calls os.Setenv or os.Unsetenv: the library reads the C
// library's environment, which these change too, and which has no lock. Set variables before, or start the program with
// them.
func WithEnvironment() Option {
	return func(c *config) error {
		return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_load_env(c.c, err) })
	}
}

// WithBaseURL sets the server: https://host[:port][/path]. Default: https://api.nomyo.ai.
func WithBaseURL(url string) Option { return text(C.nomyo_config_set_base_url, "url", url) }

// WithAPIKey sets the API key. Default, and for an empty one: none is sent.
func WithAPIKey[S Secret](key S) Option { return secret(C.nomyo_config_set_api_key, key) }

// WithHeader adds a header to each request, for a gateway in front of the server: at most 32. A name that was given before gets
// the new value. The library treats the value as a secret. Headers that the client sets itself are an error.
func WithHeader[S Secret](name string, value S) Option {
	return func(c *config) error {
		return withText("name", name, func(text *C.char) error {
			return withSecret(value, func(p *C.uint8_t, n C.size_t) error {
				return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_set_header(c.c, text, p, n, err) })
			})
		})
	}
}

// WithAllowHTTP allows http://, for a server on the same machine.
//
// WARNING: without TLS the API key is readable on the way and the server's key can be replaced, and with it the
// encryption.
func WithAllowHTTP() Option { return number(C.nomyo_config_set_allow_http, 1) }

// WithMemoryPolicy sets what to do about locking secrets in memory. Default: MemoryPrefer. In force is the strictest
// policy of the clients that are open; under MemoryRequire, calls fail with ErrSecurity while the system refuses a lock.
func WithMemoryPolicy(policy MemoryPolicy) Option {
	return number(C.nomyo_config_set_memory_policy, int32(policy))
}

// WithTimeout bounds each call, from its beginning to its end: key generation, key fetch, attempts, and the waits between
// them. A context with a sooner deadline wins. Default: 15 minutes.
func WithTimeout(total time.Duration) Option {
	return func(c *config) error {
		c.timeout = total
		return duration(C.nomyo_config_set_timeout_ms, total)(c)
	}
}

// WithConnectTimeout sets the timeout for DNS, TCP and TLS of one connection. Default: 10 seconds.
func WithConnectTimeout(d time.Duration) Option {
	return duration(C.nomyo_config_set_connect_timeout_ms, d)
}

// WithMaxRetries sets how often a call retries failed attempts, at most 10. Default: 2. An attempt is retried after HTTP 408,
// 409, 425, 429, every 5xx except 501 and 505, and a connection that failed or broke off before an answer. The waits between
// the attempts are part of the call.
//
// WARNING: a connection that breaks off can have delivered the request, so a retry can make the server process the prompt
// twice. With 0, no request is sent a second time. [Error.Sent] and [Response.Attempts] tell what happened.
func WithMaxRetries(n uint32) Option {
	return func(c *config) error {
		return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_set_max_retries(c.c, C.uint32_t(n), err) })
	}
}

// WithRateLimit limits how many attempts begin in a second: perSecond in the long run, up to burst at once after a pause.
// A call waits for its turn. Default, and for a perSecond of 0: no limit.
func WithRateLimit(perSecond float64, burst uint32) Option {
	return func(c *config) error {
		return check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_config_set_rate_limit(c.c, C.double(perSecond), C.uint32_t(burst), err)
		})
	}
}

// WithResponseLimit sets the largest answer that is read, in bytes as it comes over the wire. Default: 64 MiB.
func WithResponseLimit(bytes uint64) Option {
	return func(c *config) error {
		return check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_config_set_response_limit(c.c, C.uint64_t(bytes), err)
		})
	}
}

// WithProxy sets the proxy: scheme://[user:password@]host[:port] with http, https, socks5 or socks5h. "" is no proxy, which
// is also the default; [WithEnvironment] takes the proxy from the environment.
func WithProxy(url string) Option { return text(C.nomyo_config_set_proxy, "url", url) }

// WithCAFile believes the certificate authorities in that PEM file instead of the platform's trust store. The file is
// read by NewClient, and not later.
func WithCAFile(pem string) Option { return text(C.nomyo_config_set_ca_file, "pem", pem) }

// WithKeyDir keeps the client's key pair in a directory: loaded from there if it is there, else generated and saved.
// Default: none; the pair lives in memory, as long as the client.
func WithKeyDir(dir string) Option { return text(C.nomyo_config_set_key_dir, "dir", dir) }

// WithKeyPassword encrypts the private key in the key directory with a password of at least 8 characters.
func WithKeyPassword[S Secret](password S) Option {
	return secret(C.nomyo_config_set_key_password, password)
}

// WithKeyRotation sets how long a key pair is used before a new one takes its place; 0 for ever. Default: a day.
func WithKeyRotation(d time.Duration) Option { return duration(C.nomyo_config_set_key_rotation_ms, d) }

// WithKeyGroupRead accepts a private file that belongs to root and is readable by its group, as in a Secret volume of
// Kubernetes. Default, and for false: such a file is refused.
func WithKeyGroupRead(yes bool) Option {
	n := int32(0)
	if yes {
		n = 1
	}
	return number(C.nomyo_config_set_key_group_read, n)
}

// WithServerKeyPin accepts a key of the server by its fingerprint (see [Client.ServerKey]). Give the option several times
// for several keys, such as the one in use and the next. With any other key, calls fail with ErrPin, and the prompt is not
// sent.
//
// The pin protects the prompt: nobody but the owner of that key can read it. It does not protect the answer: an interceptor
// of TLS can replace the key that the answer is encrypted for. [WithTLSPin] keeps the interceptor out of both.
func WithServerKeyPin(sha256 string) Option {
	return text(C.nomyo_config_add_server_key_pin, "sha256", sha256)
}

// WithKnownServers remembers the server's key in a file when it is first used, and refuses any other from then on with
// ErrPin. The file protects the prompt as [WithServerKeyPin] does, from the second use on.
func WithKnownServers(file string) Option {
	return text(C.nomyo_config_set_known_servers, "file", file)
}

// WithServerKeyTTL sets how long the server's key is used before it is fetched again; 0 for every request. Default: 5
// minutes.
func WithServerKeyTTL(d time.Duration) Option {
	return duration(C.nomyo_config_set_server_key_ttl_ms, d)
}

// WithLogger sends the client's log lines to logger, with the context of the call. No line holds a prompt, an answer or a
// key. The record of an attempt has attributes: attempt, payload_id, proxy, body, status, sent, received, ms, connection and
// error, each if it is known. The logger is called while the client works, on the goroutine of the call, and must not use
// the client.
//
// The logger's level is read once, by NewClient: a lower level that is set later has no effect.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger = logger
		return nil
	}
}

func text(set unsafe.Pointer, name, value string) Option {
	return func(c *config) error {
		return withText(name, value, func(text *C.char) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.set_text(set, c.c, text, err) })
		})
	}
}

func secret[S Secret](set unsafe.Pointer, value S) Option {
	return func(c *config) error {
		return withSecret(value, func(p *C.uint8_t, n C.size_t) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.set_secret(set, c.c, p, n, err) })
		})
	}
}

func number(set unsafe.Pointer, n int32) Option {
	return func(c *config) error {
		return check(func(err **C.nomyo_error) C.int32_t { return C.set_int32(set, c.c, C.int32_t(n), err) })
	}
}

func duration(set unsafe.Pointer, d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return argumentError("a duration is negative")
		}
		return check(func(err **C.nomyo_error) C.int32_t { return C.set_uint64(set, c.c, milliseconds(d), err) })
	}
}

// milliseconds rounds up, so that a call does not end before its time.
func milliseconds(d time.Duration) C.uint64_t {
	return C.uint64_t(max(d, d+time.Millisecond-1) / time.Millisecond)
}

// startLog lets the library call the logger, at the levels that it wants, until stop is called.
func (c *config) startLog() (stop func(), err error) {
	level := C.int32_t(C.NOMYO_LOG_DEBUG)
	for level > 0 && c.logger != nil && !c.logger.Enabled(context.Background(), slogLevel(level)) {
		level--
	}
	if level == 0 || c.logger == nil {
		return func() {}, nil
	}
	logger := cgo.NewHandle(c.logger)
	err = check(func(err **C.nomyo_error) C.int32_t { return C.set_log(c.c, level, C.uintptr_t(logger), err) })
	return logger.Delete, err
}

package nomyo

/*
#include <nomyo.h>
*/
import "C"

import "time"

// config is what the options of NewClient change.
type config struct {
	handle  *C.nomyo_config
	timeout time.Duration // as set by WithTimeout; 0 for the library's default
}

// Option is a setting of a client.
type Option func(*config) error

// WithBaseURL sets the server: https://host[:port][/path]. Default: https://api.nomyo.ai.
func WithBaseURL(url string) Option {
	return func(c *config) error {
		return withText("url", url, func(text *C.char) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_set_base_url(c.handle, text, err) })
		})
	}
}

// WithAPIKey sets the API key. Default, and for "": none is sent. Nothing is read from the environment.
func WithAPIKey(key string) Option {
	return func(c *config) error {
		p, n := stringBytes(key)
		return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_set_api_key(c.handle, p, n, err) })
	}
}

// WithAllowHTTP allows http://, for a server on the same machine.
//
// WARNING: without TLS the API key is readable on the way and the server's key can be replaced, and with it the
// encryption.
func WithAllowHTTP() Option {
	return func(c *config) error {
		return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_set_allow_http(c.handle, 1, err) })
	}
}

// WithMaxRetries sets how many failed attempts of a call are repeated, from 0 to 10. Default: 2.
func WithMaxRetries(n uint32) Option {
	return func(c *config) error {
		return check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_config_set_max_retries(c.handle, C.uint32_t(n), err)
		})
	}
}

// WithTimeout sets how long a whole call may take, unless its context's deadline comes sooner. Default: 15 minutes.
func WithTimeout(total time.Duration) Option {
	return func(c *config) error {
		c.timeout = total
		return check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_config_set_timeout_ms(c.handle, milliseconds(total), err)
		})
	}
}

// WithConnectTimeout sets how long name resolution, TCP and TLS of one connection may take. Default: 10 seconds.
func WithConnectTimeout(total time.Duration) Option {
	return func(c *config) error {
		return check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_config_set_connect_timeout_ms(c.handle, milliseconds(total), err)
		})
	}
}

// WithCAFile believes the certificate authorities in that PEM file instead of the platform's trust store. The file is
// read by NewClient, and not later.
func WithCAFile(pem string) Option {
	return func(c *config) error {
		return withText("pem", pem, func(text *C.char) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_set_ca_file(c.handle, text, err) })
		})
	}
}

// withBinding names this package in the User-Agent.
func withBinding() Option {
	return func(c *config) error {
		return withText("binding", "go/"+Version(), func(text *C.char) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_set_binding(c.handle, text, err) })
		})
	}
}

// call is what the options of CreateJSON change.
type call struct {
	handle *C.nomyo_request
}

// CallOption is a setting of one call.
type CallOption func(*call) error

// WithSecurityTier asks for "standard", "high" or "maximum". An answer that was made at a lower tier is withheld, with
// ErrSecurity. Default: the server chooses.
func WithSecurityTier(tier string) CallOption {
	return func(c *call) error {
		return withText("tier", tier, func(text *C.char) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_request_set_security_tier(c.handle, text, err) })
		})
	}
}

// WithCallAPIKey uses another API key than the client's; "" sends none.
func WithCallAPIKey(key string) CallOption {
	return func(c *call) error {
		p, n := stringBytes(key)
		return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_request_set_api_key(c.handle, p, n, err) })
	}
}

func withCallTimeout(total time.Duration) CallOption {
	return func(c *call) error {
		return check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_request_set_timeout_ms(c.handle, milliseconds(total), err)
		})
	}
}

// check calls a C function, and returns its error.
func check(f func(err **C.nomyo_error) C.int32_t) error {
	var cerr *C.nomyo_error
	status := f(&cerr)
	if err := takeError(status, cerr); err != nil {
		return err
	}
	return nil
}

// milliseconds rounds up, so that a call does not end before its time; 0, which the library refuses, for 0 and less.
func milliseconds(d time.Duration) C.uint64_t {
	if d <= 0 {
		return 0
	}
	return C.uint64_t((d-1)/time.Millisecond + 1)
}

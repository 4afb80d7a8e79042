package nomyo

// #include "library.h"
import "C"

import (
	"time"
	"unsafe"
)

// Client is a client of one server. Any number of goroutines may use it at once. Make one and keep it: its first call
// generates an RSA-4096 pair.
type Client struct {
	handle  *handle[*C.nomyo_client]
	timeout time.Duration
}

// NewClient makes a client. It does not touch the network, and reads nothing from the environment unless it is told to.
func NewClient(opts ...Option) (*Client, error) {
	if C.nomyo_abi_version() != C.NOMYO_ABI_VERSION {
		return nil, argumentError("the libnomyo that is loaded has another ABI: install the one this program was built for")
	}
	c := config{c: C.nomyo_config_new(), timeout: 15 * time.Minute} // which is the library's default
	defer C.nomyo_config_free(c.c)
	userAgent := text(C.nomyo_config_set_binding, "binding", "go/"+Version())
	for _, set := range append([]Option{userAgent}, opts...) {
		if err := set(&c); err != nil {
			return nil, err
		}
	}
	stopLog, err := c.startLog()
	if err != nil {
		return nil, err
	}
	var p *C.nomyo_client
	if err := check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_client_new(c.c, &p, err) }); err != nil {
		stopLog()
		return nil, err
	}
	return &Client{newHandle(p, func(p *C.nomyo_client) {
		C.nomyo_client_free(p)
		stopLog()
	}), c.timeout}, nil
}

// Close waits for the calls under way, then wipes the client's keys and closes its connections. Responses stay usable.
// Further calls return ErrClosed; closing again does nothing. It always returns nil.
func (c *Client) Close() error { return c.handle.close() }

// WarmUp gets ready for the first call, now: it loads or generates the client's RSA-4096 pair (0.7 s on average, several
// at worst), connects and fetches the server's key. It blocks for the generation and then at most for the client's timeout.
func (c *Client) WarmUp() error { return c.do(C.nomyo_client_warm_up) }

// GenerateKeys generates a key pair and uses it from now on: in memory for an empty dir, else saved in that directory, which
// must have none yet, encrypted with the password unless that is empty.
func (c *Client) GenerateKeys(dir string, password []byte) error {
	return c.keys(C.nomyo_client_generate_keys, dir, password)
}

// SaveKeys writes a copy of the pair in use to the directory dir, which must have none yet, encrypted with the password
// unless that is empty.
func (c *Client) SaveKeys(dir string, password []byte) error {
	return c.keys(C.nomyo_client_save_keys, dir, password)
}

// LoadKeys loads a key pair from PEM files and uses it from now on. An empty public: that half comes out of the private
// one. An empty password: the file is not encrypted.
func (c *Client) LoadKeys(private, public string, password []byte) error {
	return withText("private", private, func(private *C.char) error {
		return withText("public", public, func(public *C.char) error {
			return withSecret(password, func(pw *C.uint8_t, n C.size_t) error {
				return c.call(func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
					return C.nomyo_client_load_keys(p, private, orNull(public), pw, n, err)
				})
			})
		})
	})
}

// RotateKeys replaces the pair by a new one now, in its key directory too.
func (c *Client) RotateKeys() error { return c.do(C.nomyo_client_rotate_keys) }

// PublicKey is the public half of the pair in use, as SubjectPublicKeyInfo PEM.
func (c *Client) PublicKey() (pem string, err error) {
	var text *C.nomyo_text
	err = c.call(func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
		return C.nomyo_client_public_key(p, &text, err)
	})
	return takeText(text), err
}

// ServerKey is the server's key, as SubjectPublicKeyInfo PEM, and its fingerprint, which is what [WithServerKeyPin] takes:
// compare that with what the operator says. It fetches the key unless it is there, and sends nothing else.
func (c *Client) ServerKey() (pem, sha256 string, err error) {
	var key, digest *C.nomyo_text
	err = c.call(func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
		return C.nomyo_client_server_key(p, &key, &digest, err)
	})
	return takeText(key), takeText(digest), err
}

func (c *Client) call(f func(*C.nomyo_client, **C.nomyo_error) C.int32_t) error {
	return c.handle.use(func(p *C.nomyo_client) error {
		return check(func(err **C.nomyo_error) C.int32_t { return f(p, err) })
	})
}

func (c *Client) do(f unsafe.Pointer) error {
	return c.call(func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t { return C.call_client(f, p, err) })
}

func (c *Client) keys(f unsafe.Pointer, dir string, password []byte) error {
	return withText("dir", dir, func(dir *C.char) error {
		return withSecret(password, func(pw *C.uint8_t, n C.size_t) error {
			return c.call(func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
				return C.call_keys(f, p, orNull(dir), pw, n, err)
			})
		})
	})
}

func orNull(text *C.char) *C.char {
	if *text == 0 {
		return nil
	}
	return text
}

// takeText copies and frees a text; "" for NULL.
func takeText(text *C.nomyo_text) string {
	defer C.nomyo_text_free(text)
	var n C.size_t
	p := C.nomyo_text_data(text, &n)
	return string(view(p, &n))
}

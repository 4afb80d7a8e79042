package nomyo

// #include "library.h"
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// Client is a client of one server. Any number of goroutines may use it at once. Make one and keep it: its first call
// generates an RSA-4096 pair. A call in flight occupies an OS thread, and Go ends a process that has 10 000 of them:
// see [WithMaxConcurrency].
type Client struct {
	handle  *handle[*C.nomyo_client]
	timeout time.Duration
	logs    bool            // to a logger
	places  chan struct{}   // one element for each call in the library; nil if there is no limit
	aborted context.Context // ends when abort is called, and with it the calls in flight
	abort   context.CancelFunc
}

// NewClient makes a client. It does not touch the network. It reads the environment only with [WithEnvironment]; without
// that option, it may run beside os.Setenv.
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
	free := func(p *C.nomyo_client) {
		C.nomyo_client_free(p)
		stopLog()
	}
	aborted, abort := context.WithCancel(context.Background())
	return &Client{newHandle(p, free), c.timeout, c.logger != nil, c.places, aborted, abort}, nil
}

// Close waits for the calls in flight, then wipes the client's keys and closes its connections. Calls that begin meanwhile
// or later return ErrClosed at once. Responses stay usable. Closing again waits for the same calls. Close always returns
// nil. A call in flight can last for the client's timeout: Shutdown limits the wait.
func (c *Client) Close() error {
	<-c.handle.close()
	return nil
}

// Shutdown closes the client like Close. When ctx ends first, the calls in flight are ended, and their errors are both
// ErrCancelled and ErrClosed. In every case the client is closed and its keys are wiped when Shutdown returns. The
// error is ctx.Err() if calls had to be ended, else nil.
func (c *Client) Shutdown(ctx context.Context) error {
	freed := c.handle.close()
	select {
	case <-freed: // looked at first, since select chooses at random
		return nil
	default:
	}
	select {
	case <-freed:
		return nil
	case <-ctx.Done():
		c.abort()
		<-freed
		return ctx.Err()
	}
}

// WarmUp prepares the first call: it loads or generates the client's RSA-4096 pair (0.7 s on average, several at worst),
// connects, and fetches the server's key. ctx and the client's timeout bound it, as they bound [Client.CreateJSON].
func (c *Client) WarmUp(ctx context.Context) error { return c.do(ctx, C.nomyo_client_warm_up) }

// GenerateKeys generates a key pair and uses it from now on. If dir is empty, the pair stays in memory. Otherwise it is
// saved in that directory, which must not have a pair yet, encrypted with the password unless that is empty. ctx and the
// client's timeout bound the call.
func (c *Client) GenerateKeys(ctx context.Context, dir string, password []byte) error {
	return c.keys(ctx, C.nomyo_client_generate_keys, dir, password)
}

// SaveKeys writes a copy of the pair in use to the directory dir, which must not have a pair yet, encrypted with the
// password unless that is empty. ctx and the client's timeout bound the call.
func (c *Client) SaveKeys(ctx context.Context, dir string, password []byte) error {
	return c.keys(ctx, C.nomyo_client_save_keys, dir, password)
}

// LoadKeys loads a key pair from PEM files and uses it from now on. If public is empty, the public key is computed from the
// private one. An empty password stands for a file that is not encrypted. ctx and the client's timeout bound the call.
func (c *Client) LoadKeys(ctx context.Context, private, public string, password []byte) error {
	return withText("private", private, func(private *C.char) error {
		return withText("public", public, func(public *C.char) error {
			return withSecret(password, func(pw *C.uint8_t, n C.size_t) error {
				return c.during(ctx, func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
					return C.nomyo_client_load_keys(p, private, orNull(public), pw, n, err)
				})
			})
		})
	})
}

// LoadKeysPEM loads a key pair from PEM texts in memory and uses it from now on: for keys from a secret manager. If public is
// empty, the public key is computed from the private one. An empty password stands for a text that is not encrypted. Nothing
// is kept of the arguments: the caller wipes its own, or takes them from a [SecretBytes]. ctx and the client's timeout bound
// the call.
func (c *Client) LoadKeysPEM(ctx context.Context, private, public, password []byte) error {
	return withSecret(private, func(private *C.uint8_t, privateLen C.size_t) error {
		return withSecret(public, func(public *C.uint8_t, publicLen C.size_t) error {
			return withSecret(password, func(pw *C.uint8_t, n C.size_t) error {
				return c.during(ctx, func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
					return C.nomyo_client_load_keys_pem(p, private, privateLen, public, publicLen, pw, n, err)
				})
			})
		})
	})
}

// PrivateKeyPEM is the private half of the pair in use, as PKCS#8 PEM, encrypted with the password unless that is empty. If
// there is no pair yet, the call loads or generates it. Read the text with [SecretBytes.Use], and wipe it with Close; it may
// outlive the client. ctx and the client's timeout bound the call.
func (c *Client) PrivateKeyPEM(ctx context.Context, password []byte) (*SecretBytes, error) {
	var out *C.uint8_t
	var size C.size_t
	err := withSecret(password, func(pw *C.uint8_t, n C.size_t) error {
		return c.during(ctx, func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
			return C.nomyo_client_private_key_pem(p, pw, n, &out, &size, err)
		})
	})
	if err != nil {
		return nil, err
	}
	return newSecretBytes(unsafe.Pointer(out), int(size)), nil
}

// RotateKeys replaces the pair by a new one, in the key directory too. ctx and the client's timeout bound the call.
func (c *Client) RotateKeys(ctx context.Context) error { return c.do(ctx, C.nomyo_client_rotate_keys) }

// PublicKey is the public half of the pair in use, as SubjectPublicKeyInfo PEM. If there is no pair yet, the call loads or
// generates it; ctx and the client's timeout bound that.
func (c *Client) PublicKey(ctx context.Context) (pem string, err error) {
	var text *C.nomyo_text
	err = c.during(ctx, func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
		return C.nomyo_client_public_key(p, &text, err)
	})
	return takeText(text), err
}

// ServerKey is the server's key, as SubjectPublicKeyInfo PEM, and its fingerprint, which [WithServerKeyPin] takes: compare
// the fingerprint with the one that the server's operator publishes. The call fetches the key unless the client has it, and
// sends nothing else. ctx and the client's timeout bound the call.
func (c *Client) ServerKey(ctx context.Context) (pem, sha256 string, err error) {
	var key, digest *C.nomyo_text
	err = c.during(ctx, func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
		return C.nomyo_client_server_key(p, &key, &digest, err)
	})
	return takeText(key), takeText(digest), err
}

func (c *Client) do(ctx context.Context, f unsafe.Pointer) error {
	return c.during(ctx, func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t { return C.call_client(f, p, err) })
}

func (c *Client) keys(ctx context.Context, f unsafe.Pointer, dir string, password []byte) error {
	return withText("dir", dir, func(dir *C.char) error {
		return withSecret(password, func(pw *C.uint8_t, n C.size_t) error {
			return c.during(ctx, func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
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

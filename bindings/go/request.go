package nomyo

// #include "library.h"
import "C"

import (
	"context"
	"errors"
	"time"
	"unsafe"
)

// CallOption is a setting of one call.
type CallOption func(*call) error

// call is what a CallOption changes.
type call struct {
	options *C.nomyo_call_options
	timeout time.Duration
}

// WithSecurityTier asks for "standard", "high" or "maximum". An answer that was made at a lower tier is withheld, with
// ErrSecurity. Default: the server chooses.
func WithSecurityTier(tier string) CallOption {
	return func(c *call) error {
		return withText("tier", tier, func(text *C.char) error {
			return check(func(err **C.nomyo_error) C.int32_t {
				return C.nomyo_call_options_set_security_tier(c.options, text, err)
			})
		})
	}
}

// WithCallAPIKey uses another API key than the client's; an empty one: none is sent.
func WithCallAPIKey[S Secret](key S) CallOption {
	return func(c *call) error {
		return withSecret(key, func(p *C.uint8_t, n C.size_t) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_call_options_set_api_key(c.options, p, n, err) })
		})
	}
}

// WithCallTimeout uses another timeout than the client's, longer or shorter. To shorten it, a context is as good.
func WithCallTimeout(total time.Duration) CallOption {
	return func(c *call) error {
		c.timeout = total
		return check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_call_options_set_timeout_ms(c.options, milliseconds(max(total, 0)), err)
		})
	}
}

// Create encrypts a chat request, sends it, and waits for the whole answer. For ctx and the error see [Client.CreateJSON].
func (c *Client) Create(ctx context.Context, request ChatRequest, opts ...CallOption) (*Response, error) {
	body, err := request.MarshalJSON()
	if e := (*Error)(nil); errors.As(err, &e) {
		return nil, e
	} else if err != nil {
		return nil, argumentError("the request cannot be written as JSON: check that each json.RawMessage in it is JSON, and that " +
			"Temperature is a finite number")
	}
	return c.CreateJSON(ctx, body, opts...)
}

// CreateJSON encrypts an OpenAI-style request body, sends it, and waits for the whole answer. The body is a JSON object of
// at most 10 MiB. Its members security_tier and api_key act like the options of that name, and are not sent. The body is
// read during the call, and not kept. Close the response when it has been read.
//
// When ctx is cancelled, the call ends at once. The error is then both ErrCancelled and context.Canceled. If ctx has a
// deadline sooner than the client's timeout, the deadline bounds the whole call, including the key generation of a first
// call. The error is then both ErrTimeout and context.DeadlineExceeded. In both cases [Error.Sent] tells whether the server
// may have the request.
//
// The error is ErrClosed or an [*Error].
func (c *Client) CreateJSON(ctx context.Context, body []byte, opts ...CallOption) (*Response, error) {
	var out *C.nomyo_response
	err := c.bounded(ctx, opts, func(p *C.nomyo_client, options *C.nomyo_call_options, err **C.nomyo_error) C.int32_t {
		json := (*C.uint8_t)(unsafe.SliceData(body))
		return C.nomyo_create(p, json, C.size_t(len(body)), options, &out, err)
	})
	if err != nil {
		return nil, err
	}
	return newResponse(out), nil
}

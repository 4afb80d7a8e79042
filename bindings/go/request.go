package nomyo

// #include "library.h"
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"time"
	"unsafe"
)

// Message is one message of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`

	ToolCalls  json.RawMessage `json:"tool_calls,omitempty"`   // of an assistant's message, as in [Choice]
	ToolCallID string          `json:"tool_call_id,omitempty"` // of a tool's message: which call it answers
}

// ChatRequest is one chat request. For other forms of it, such as messages with images, see [Client.CreateJSON].
type ChatRequest struct {
	Model    string
	Messages []Message

	// Extra is any other member of the request, such as "temperature" or "tools".
	Extra map[string]json.RawMessage
}

// MarshalJSON is the request's body.
func (r ChatRequest) MarshalJSON() ([]byte, error) {
	members := map[string]any{"model": r.Model, "messages": r.Messages}
	for name, value := range r.Extra {
		if _, taken := members[name]; taken {
			return nil, argumentError("Extra contains " + name + ", which ChatRequest has a field for")
		}
		members[name] = value
	}
	return json.Marshal(members)
}

// CallOption is a setting of one call.
type CallOption func(*call) error

// call is what a CallOption changes.
type call struct {
	options *C.nomyo_request
	timeout time.Duration
}

// WithSecurityTier asks for "standard", "high" or "maximum". An answer that was made at a lower tier is withheld, with
// ErrSecurity. Default: the server chooses.
func WithSecurityTier(tier string) CallOption {
	return func(c *call) error {
		return withText("tier", tier, func(text *C.char) error {
			return check(func(err **C.nomyo_error) C.int32_t {
				return C.nomyo_request_set_security_tier(c.options, text, err)
			})
		})
	}
}

// WithCallAPIKey uses another API key than the client's; an empty one: none is sent.
func WithCallAPIKey[S Secret](key S) CallOption {
	return func(c *call) error {
		return withSecret(key, func(p *C.uint8_t, n C.size_t) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_request_set_api_key(c.options, p, n, err) })
		})
	}
}

// WithCallTimeout uses another timeout than the client's, longer or shorter. To shorten it, a context is as good.
func WithCallTimeout(total time.Duration) CallOption {
	return func(c *call) error {
		c.timeout = total
		return check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_request_set_timeout_ms(c.options, milliseconds(max(total, 0)), err)
		})
	}
}

// Create sends a chat request, encrypted, and waits for the whole answer. What ctx does and what is returned is as for
// [Client.CreateJSON].
func (c *Client) Create(ctx context.Context, request ChatRequest, opts ...CallOption) (*Response, error) {
	body, err := request.MarshalJSON()
	if e := (*Error)(nil); errors.As(err, &e) {
		return nil, e
	} else if err != nil {
		return nil, argumentError("Extra or ToolCalls contains what is not JSON")
	}
	return c.CreateJSON(ctx, body, opts...)
}

// CreateJSON sends an OpenAI-style request body, a JSON object of at most 10 MiB, encrypted, and waits for the whole
// answer. Its members security_tier and api_key act as the options of that name and are not sent. The body is read while
// the call lasts, and not kept.
//
// When ctx is cancelled, the call ends at once, or when the keys that it generates are there; the error is both ErrCancelled
// and context.Canceled. ctx's deadline, if that is sooner than the client's timeout, becomes the call's; the error is then
// both ErrTimeout and context.DeadlineExceeded. In either case the request may have reached the server. The client's first
// call generates its keys before a deadline is looked at: see [Client.WarmUp].
//
// Close the response when it has been read. The error is ErrClosed or an [*Error].
func (c *Client) CreateJSON(ctx context.Context, body []byte, opts ...CallOption) (answer *Response, err error) {
	err = c.handle.use(func(p *C.nomyo_client) error {
		return c.withOptions(opts, func(call *call) error {
			return call.during(ctx, func() error {
				var out *C.nomyo_response
				err := check(func(err **C.nomyo_error) C.int32_t {
					json := (*C.uint8_t)(unsafe.SliceData(body))
					return C.nomyo_create(p, json, C.size_t(len(body)), call.options, &out, err)
				})
				if err == nil {
					answer = newResponse(out)
				}
				return err
			})
		})
	})
	return answer, err
}

func (c *Client) withOptions(opts []CallOption, f func(*call) error) error {
	call := call{C.nomyo_request_new(), c.timeout}
	defer C.nomyo_request_free(call.options)
	for _, set := range opts {
		if err := set(&call); err != nil {
			return err
		}
	}
	return f(&call)
}

// during makes a call that ends with ctx, and says so in its error.
func (c *call) during(ctx context.Context, f func() error) error {
	deadline, limited := ctx.Deadline()
	left := time.Until(deadline)
	if limited && left <= 0 {
		return &Error{Status: ErrTimeout, Message: "the context's deadline has passed; nothing was sent", RetryAfter: -1,
			cause: context.DeadlineExceeded}
	}
	cancel := C.nomyo_cancel_new()
	defer C.nomyo_cancel_free(cancel)
	err := check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_request_set_cancel(c.options, cancel, err) })
	if err == nil && limited && left < c.timeout {
		err = WithCallTimeout(left)(c)
	}
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		C.nomyo_cancel_trigger(cancel) // now, so that nothing is sent
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) { // the library looks after the deadline
			C.nomyo_cancel_trigger(cancel)
		}
		close(over)
	})
	err = f()
	if !stop() {
		<-over // it is using cancel
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		switch {
		case e.Status == ErrCancelled:
			e.cause = ctx.Err()
		case e.Status == ErrTimeout && limited && !time.Now().Before(deadline):
			e.cause = context.DeadlineExceeded
		}
	}
	return err
}

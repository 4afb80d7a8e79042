package nomyo

/*
#include <nomyo.h>
*/
import "C"

import (
	"context"
	"encoding/json"
	"runtime"
	"sync"
	"time"
)

// Client is a client of one server. Any number of goroutines may use it at once. Make one and keep it: its first call
// generates an RSA-4096 pair. Do not copy it.
type Client struct {
	mu      sync.RWMutex // held for reading by each call, for writing by Close
	handle  *C.nomyo_client
	timeout time.Duration
}

// NewClient makes a client. It does not touch the network, and reads nothing from the environment.
func NewClient(opts ...Option) (*Client, error) {
	if err := checkABI(); err != nil {
		return nil, err
	}
	c := config{handle: C.nomyo_config_new()}
	if c.handle == nil {
		return nil, &Error{Status: ErrMemory, Message: "out of memory", RetryAfter: -1}
	}
	defer C.nomyo_config_free(c.handle)
	for _, set := range append([]Option{withBinding()}, opts...) {
		if err := set(&c); err != nil {
			return nil, err
		}
	}
	var handle *C.nomyo_client
	var cerr *C.nomyo_error
	status := C.nomyo_client_new(c.handle, &handle, &cerr)
	if err := takeError(status, cerr); err != nil {
		return nil, err
	}
	client := &Client{handle: handle, timeout: c.timeout}
	runtime.SetFinalizer(client, (*Client).Close)
	return client, nil
}

// Close waits for the calls under way, then wipes the client's keys and closes its connections. Responses stay usable.
// Further calls return ErrClosed; closing again does nothing. It always returns nil.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	runtime.SetFinalizer(c, nil)
	C.nomyo_client_free(c.handle)
	c.handle = nil
	return nil
}

// WarmUp generates the client's RSA-4096 pair (0.7 s on average, several at worst), connects and fetches the server's
// key, so that the first call need not. It blocks for the generation and then at most for the client's timeout.
func (c *Client) WarmUp() error {
	c.mu.RLock()
	defer c.mu.RUnlock() // keeps c, and with it the finalizer, until here
	if c.handle == nil {
		return ErrClosed
	}
	return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_client_warm_up(c.handle, err) })
}

// Message is one message of a conversation. For other forms of content, or tool results, see [Client.CreateJSON].
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// ChatRequest is one chat request.
type ChatRequest struct {
	Model    string
	Messages []Message

	SecurityTier string // see WithSecurityTier; "" lets the server choose
	APIKey       string // instead of the client's; "" is the client's

	// Extra is any other member of the request, such as "temperature" or "tools".
	Extra map[string]json.RawMessage
}

func (r *ChatRequest) body() ([]byte, error) {
	members := map[string]any{"model": r.Model, "messages": r.Messages}
	for name, value := range r.Extra {
		if _, taken := members[name]; taken {
			return nil, argumentError("Extra contains " + name + ", which ChatRequest has a field for")
		}
		members[name] = value
	}
	body, err := json.Marshal(members)
	if err != nil {
		return nil, argumentError("Extra contains a value that is not JSON")
	}
	return body, nil
}

// Create sends a chat request, encrypted, and waits for the whole answer. See [Client.CreateJSON] for what ctx does.
func (c *Client) Create(ctx context.Context, request ChatRequest) (*Response, error) {
	body, err := request.body()
	if err != nil {
		return nil, err
	}
	var opts []CallOption
	if request.SecurityTier != "" {
		opts = append(opts, WithSecurityTier(request.SecurityTier))
	}
	if request.APIKey != "" {
		opts = append(opts, WithCallAPIKey(request.APIKey))
	}
	return c.CreateJSON(ctx, body, opts...)
}

// CreateJSON sends an OpenAI-style request body, a JSON object of at most 10 MiB, encrypted, and waits for the whole
// answer. Its members security_tier and api_key act as the options of that name and are not sent.
//
// If ctx is done before the call, its error is returned and nothing is sent. Its deadline, if that is sooner than the
// client's timeout, becomes the call's: the error is then both ErrTimeout and context.DeadlineExceeded, and the request
// may have reached the server. Cancelling ctx while the call is under way has no effect yet; give it a deadline. The
// client's first call generates its keys before the deadline is looked at: see [Client.WarmUp].
//
// Close the response when it has been read. The error is ErrClosed, ctx's, or an [*Error].
func (c *Client) CreateJSON(ctx context.Context, body []byte, opts ...CallOption) (*Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock() // keeps c, and with it the finalizer, until here
	if c.handle == nil {
		return nil, ErrClosed
	}
	options := call{handle: C.nomyo_request_new()}
	defer C.nomyo_request_free(options.handle)
	for _, set := range append(c.deadline(ctx), opts...) {
		if err := set(&options); err != nil {
			return nil, err
		}
	}
	var out *C.nomyo_response
	var cerr *C.nomyo_error
	p, n := bytesOf(body)
	status := C.nomyo_create(c.handle, p, n, options.handle, &out, &cerr)
	if err := takeError(status, cerr); err != nil {
		if deadline, ok := ctx.Deadline(); ok && err.Status == ErrTimeout && !time.Now().Before(deadline) {
			err.cause = context.DeadlineExceeded
		}
		return nil, err
	}
	return newResponse(out), nil
}

// deadline is the option that ends a call with its context, if the context ends before the client's own timeout.
func (c *Client) deadline(ctx context.Context) []CallOption {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	left := max(time.Until(deadline), 1) // what has passed just now ends the call at once
	if c.timeout > 0 && c.timeout <= left {
		return nil
	}
	return []CallOption{withCallTimeout(left)}
}

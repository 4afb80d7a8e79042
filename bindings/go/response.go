package nomyo

/*
#include <nomyo.h>
*/
import "C"

import (
	"bytes"
	"encoding/json"
	"runtime"
	"sync"
	"unsafe"
)

// Response is a decrypted answer. Any number of goroutines may read it at once. What its methods return is a copy that
// stays after Close and that nobody wipes. Do not copy the Response itself.
//
// A method that returns an error returns ErrClosed after Close, and ErrAbsent when the answer has no such value.
type Response struct {
	mu        sync.RWMutex // held for reading by each method, for writing by Close
	handle    *C.nomyo_response
	payloadID string
	choices   int
}

func newResponse(handle *C.nomyo_response) *Response {
	r := &Response{
		handle:    handle,
		payloadID: C.GoString(C.nomyo_response_payload_id(handle)),
		choices:   int(C.nomyo_response_choices(handle)),
	}
	runtime.SetFinalizer(r, (*Response).Close)
	return r
}

// Close wipes the answer in the library. Closing again does nothing. It always returns nil.
func (r *Response) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	runtime.SetFinalizer(r, nil)
	C.nomyo_response_free(r.handle)
	r.handle = nil
	return nil
}

// PayloadID is the id that the request was sent under. It stays after Close.
func (r *Response) PayloadID() string { return r.payloadID }

// Choices is how many choices the answer has. It stays after Close.
func (r *Response) Choices() int { return r.choices }

// Content is the text of a choice. With tool calls it is usually absent.
func (r *Response) Content(choice int) (string, error) {
	return read(r, toString, func(h *C.nomyo_response, n *C.size_t) *C.char {
		return C.nomyo_response_content(h, C.size_t(choice), n)
	})
}

// Reasoning is what a thinking model thought before it answered: the message's reasoning_content.
func (r *Response) Reasoning(choice int) (string, error) {
	return read(r, toString, func(h *C.nomyo_response, n *C.size_t) *C.char {
		return C.nomyo_response_reasoning(h, C.size_t(choice), n)
	})
}

// ToolCalls is the message's tool_calls, a JSON array.
func (r *Response) ToolCalls(choice int) (json.RawMessage, error) {
	return read(r, bytes.Clone, func(h *C.nomyo_response, n *C.size_t) *C.char {
		return C.nomyo_response_tool_calls(h, C.size_t(choice), n)
	})
}

// FinishReason is why a choice ended: "stop", "length", "tool_calls" or "content_filter".
func (r *Response) FinishReason(choice int) (string, error) {
	return read(r, toString, func(h *C.nomyo_response, n *C.size_t) *C.char {
		return C.nomyo_response_finish_reason(h, C.size_t(choice), n)
	})
}

// JSON is the whole answer.
func (r *Response) JSON() ([]byte, error) {
	return read(r, bytes.Clone, func(h *C.nomyo_response, n *C.size_t) *C.char {
		return C.nomyo_response_json(h, n)
	})
}

// Pointer is any value of the answer, as JSON: rfc6901 is a JSON Pointer such as "/usage/total_tokens"; "" is the whole
// answer. The library keeps a copy for each different pointer until Close.
func (r *Response) Pointer(rfc6901 string) (value json.RawMessage, err error) {
	err = withText("rfc6901", rfc6901, func(text *C.char) (err error) {
		value, err = read(r, bytes.Clone, func(h *C.nomyo_response, n *C.size_t) *C.char {
			return C.nomyo_response_pointer(h, text, n)
		})
		return err
	})
	return value, err
}

// read copies a text out of the answer.
func read[T any](r *Response, copied func([]byte) T, get func(*C.nomyo_response, *C.size_t) *C.char) (T, error) {
	var none T
	r.mu.RLock()
	defer r.mu.RUnlock() // keeps r, and with it the finalizer, until here
	if r.handle == nil {
		return none, ErrClosed
	}
	var n C.size_t
	text := get(r.handle, &n)
	if text == nil {
		return none, ErrAbsent
	}
	return copied(unsafe.Slice((*byte)(unsafe.Pointer(text)), n)), nil
}

func toString(b []byte) string { return string(b) }

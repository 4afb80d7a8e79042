package nomyo

// #include "library.h"
import "C"

import (
	"bytes"
	"encoding/json"
	"unsafe"
)

// Response is a decrypted answer. Any number of goroutines may read it at once. What its methods return is a copy that stays
// after Close and that nobody wipes, but for what the View methods give.
type Response struct {
	handle    *handle[*C.nomyo_response]
	payloadID string
}

// Choice is one of an answer's choices.
type Choice struct {
	Content      string          // what the model says; "" when it only calls tools
	Reasoning    string          // what a thinking model thought before: the message's reasoning_content
	ToolCalls    json.RawMessage // an array, to be sent back in the next request's [Message]; nil when there are none
	FinishReason string          // "stop", "length", "tool_calls" or "content_filter"
}

func newResponse(p *C.nomyo_response) *Response {
	return &Response{
		handle:    newHandle(p, func(p *C.nomyo_response) { C.nomyo_response_free(p) }),
		payloadID: C.GoString(C.nomyo_response_payload_id(p)),
	}
}

// Close wipes the answer in the library, when no method is reading it. Closing again does nothing. It always returns nil.
func (r *Response) Close() error { return r.handle.close() }

// PayloadID is the id that the request was sent under. It stays after Close.
func (r *Response) PayloadID() string { return r.payloadID }

// Content is the text of the first choice; "" when it has none, as when it only calls tools.
func (r *Response) Content() (text string) {
	must(r.ViewContent(func(b []byte) error {
		text = string(b)
		return nil
	}))
	return text
}

// Choices is all that the answer has.
func (r *Response) Choices() []Choice {
	var choices []Choice
	must(r.handle.use(func(p *C.nomyo_response) error {
		choices = make([]Choice, C.nomyo_response_choices(p))
		for i := range choices {
			var n [4]C.size_t
			at := C.size_t(i)
			choices[i] = Choice{
				Content:      string(view(C.nomyo_response_content(p, at, &n[0]), &n[0])),
				Reasoning:    string(view(C.nomyo_response_reasoning(p, at, &n[1]), &n[1])),
				ToolCalls:    bytes.Clone(view(C.nomyo_response_tool_calls(p, at, &n[2]), &n[2])),
				FinishReason: string(view(C.nomyo_response_finish_reason(p, at, &n[3]), &n[3])),
			}
		}
		return nil
	}))
	return choices
}

// JSON is the whole answer.
func (r *Response) JSON() (whole json.RawMessage) {
	must(r.ViewJSON(func(text []byte) error {
		whole = bytes.Clone(text)
		return nil
	}))
	return whole
}

// Pointer is any value of the answer: rfc6901 is a JSON Pointer such as "/usage/total_tokens". It is nil when there is no
// such value. The library keeps a copy for each different pointer until Close.
func (r *Response) Pointer(rfc6901 string) (value json.RawMessage) {
	must(r.handle.use(func(p *C.nomyo_response) error {
		_ = withText("rfc6901", rfc6901, func(text *C.char) error { // with a NUL in it, there is no such value
			var n C.size_t
			value = bytes.Clone(view(C.nomyo_response_pointer(p, text, &n), &n))
			return nil
		})
		return nil
	}))
	return value
}

// ViewContent gives f the first choice's text where it lies, in memory that Close wipes. f may read it until it returns, must
// not change it, and must not call Close, which waits for it. The error is f's, or ErrClosed.
func (r *Response) ViewContent(f func(text []byte) error) error {
	return r.handle.use(func(p *C.nomyo_response) error {
		var n C.size_t
		text := C.nomyo_response_content(p, 0, &n)
		return f(view(text, &n))
	})
}

// ViewJSON gives f the whole answer in the same way.
func (r *Response) ViewJSON(f func(json []byte) error) error {
	return r.handle.use(func(p *C.nomyo_response) error {
		var n C.size_t
		text := C.nomyo_response_json(p, &n)
		return f(view(text, &n))
	})
}

// must panics where a method has no error to return.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// view is a text of the library's; nil for NULL.
func view(text *C.char, n *C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(text)), *n)
}

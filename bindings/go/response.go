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
	requestID string
	headers   headers
	attempts  int
}

// Choice is one of an answer's choices.
type Choice struct {
	Content      string     // what the model says; "" when it only calls tools
	Reasoning    string     // the thoughts of a thinking model: the message's reasoning_content, or its reasoning
	ToolCalls    []ToolCall // the calls that the model asks for, to be sent back in the next request's [Message]
	FinishReason string     // "stop", "length", "tool_calls" or "content_filter"
}

func newResponse(p *C.nomyo_response) *Response {
	return &Response{
		handle:    newHandle(p, func(p *C.nomyo_response) { C.nomyo_response_free(p) }),
		payloadID: C.GoString(C.nomyo_response_payload_id(p)),
		requestID: C.GoString(C.nomyo_response_request_id(p)),
		headers:   headers(C.GoString(C.nomyo_response_headers(p, nil))),
		attempts:  int(C.nomyo_response_attempts(p)),
	}
}

// Close wipes the answer in the library, and waits for nobody: if a method or a view is reading the answer, the last of
// them wipes it. Closing again does nothing. Close always returns nil.
func (r *Response) Close() error {
	r.handle.close()
	return nil
}

// PayloadID is the X-Payload-ID header of the request, for the server's log. It stays after Close.
func (r *Response) PayloadID() string { return r.payloadID }

// RequestID is the X-Request-ID header of the HTTP response, for the log of a gateway in front of the server; "" if there was
// none. Untrusted: nobody has authenticated it. It stays after Close.
func (r *Response) RequestID() string { return r.requestID }

// Attempts is how many times the request was sent: 1 if there was no retry, 0 for an answer of [Client.Open]. It stays
// after Close.
func (r *Response) Attempts() int { return r.attempts }

// Content is the text of the first choice; "" when it has none, as when it only calls tools.
func (r *Response) Content() (text string) {
	must(r.ViewContent(func(b []byte) error {
		text = string(b)
		return nil
	}))
	return text
}

// Choices is all that the answer has. The error is ErrProtocol if tool calls are not in OpenAI's form, or ErrClosed.
func (r *Response) Choices() ([]Choice, error) {
	var choices []Choice
	err := r.handle.use(func(p *C.nomyo_response) error {
		choices = make([]Choice, C.nomyo_response_choices(p))
		for i := range choices {
			var n [4]C.size_t
			at := C.size_t(i)
			choices[i] = Choice{
				Content:      string(view(C.nomyo_response_content(p, at, &n[0]), &n[0])),
				Reasoning:    string(view(C.nomyo_response_reasoning(p, at, &n[1]), &n[1])),
				FinishReason: string(view(C.nomyo_response_finish_reason(p, at, &n[2]), &n[2])),
			}
			calls := view(C.nomyo_response_tool_calls(p, at, &n[3]), &n[3])
			if calls != nil && json.Unmarshal(calls, &choices[i].ToolCalls) != nil {
				return r.notOpenAIs("the answer has tool calls that are not in OpenAI's form")
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return choices, nil
}

// Message is the first choice's message, to be appended to the next request's Messages. Members that [Message] has no field
// for are kept in its Extra. The error is ErrProtocol if the answer has no such message.
func (r *Response) Message() (message Message, err error) {
	text := r.Pointer("/choices/0/message")
	if !bytes.HasPrefix(text, []byte("{")) || json.Unmarshal(text, &message) != nil {
		return Message{}, r.notOpenAIs("the answer has no message in OpenAI's form")
	}
	return message, nil
}

func (r *Response) notOpenAIs(happened string) error {
	return &Error{Status: ErrProtocol, Message: happened + ": read it with JSON or Pointer", Sent: SentYes, Attempts: r.attempts,
		PayloadID: r.payloadID, RequestID: r.requestID, headers: r.headers, HTTPStatus: 200}
}

// Usage is how many tokens the request and the answer have. If the answer does not say, Usage returns false.
func (r *Response) Usage() (usage Usage, known bool) {
	text := r.Pointer("/usage")
	if !bytes.HasPrefix(text, []byte("{")) || json.Unmarshal(text, &usage) != nil {
		return Usage{}, false
	}
	return usage, true
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

// ViewContent gives f the first choice's text where it lies, in memory that Close wipes. The text is valid until f returns,
// even if the response is closed meanwhile; f must not keep or change it. While f runs, other methods may be called, by f
// too. The error is f's, or ErrClosed.
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

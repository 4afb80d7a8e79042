package nomyo

// #include "library.h"
// #include <stdlib.h>
import "C"

import (
	"bytes"
	"math"
	"strings"
	"time"
	"unsafe"
)

// Status is what went wrong, as a number that never changes. It is an error, so that errors.Is(err, ErrRateLimit) works
// on whatever this package returns.
type Status int32

// Each status that the library knows.
const (
	ErrArgument       Status = C.NOMYO_ERR_ARGUMENT       // cannot be used: not JSON, too large, an unknown tier
	ErrForked         Status = C.NOMYO_ERR_FORKED         // the client belongs to the parent process
	ErrCancelled      Status = C.NOMYO_ERR_CANCELLED      // the call was cancelled
	ErrConnection     Status = C.NOMYO_ERR_CONNECTION     // DNS, TCP, TLS, a reset, closed without an answer
	ErrTimeout        Status = C.NOMYO_ERR_TIMEOUT        // the connect timeout or the call's deadline passed
	ErrProtocol       Status = C.NOMYO_ERR_PROTOCOL       // the server's answer is not a valid package or key
	ErrBadRequest     Status = C.NOMYO_ERR_BAD_REQUEST    // HTTP 400
	ErrAuthentication Status = C.NOMYO_ERR_AUTHENTICATION // HTTP 401
	ErrForbidden      Status = C.NOMYO_ERR_FORBIDDEN      // HTTP 403
	ErrNotFound       Status = C.NOMYO_ERR_NOT_FOUND      // HTTP 404
	ErrRateLimit      Status = C.NOMYO_ERR_RATE_LIMIT     // HTTP 429
	ErrServer         Status = C.NOMYO_ERR_SERVER         // HTTP 500
	ErrUnavailable    Status = C.NOMYO_ERR_UNAVAILABLE    // HTTP 503
	ErrHTTP           Status = C.NOMYO_ERR_HTTP           // any other HTTP status that is not 200
	ErrAttestation    Status = C.NOMYO_ERR_ATTESTATION    // the answer proves less than the policy requires
	ErrSecurity       Status = C.NOMYO_ERR_SECURITY       // decryption, integrity, another request's answer, a lower tier
	ErrPin            Status = C.NOMYO_ERR_PIN            // the server's key is not the pinned one
	ErrKey            Status = C.NOMYO_ERR_KEY            // a client key is missing, unreadable, unsafe or too weak
	ErrIO             Status = C.NOMYO_ERR_IO             // a file could not be read or written
	ErrMemory         Status = C.NOMYO_ERR_MEMORY         // out of memory
	ErrInternal       Status = C.NOMYO_ERR_INTERNAL       // a bug; the client refuses to work from then on
)

// Error is the name of the status, such as "NOMYO_ERR_PIN".
func (s Status) Error() string {
	return C.GoString(C.nomyo_status_name(C.int32_t(s)))
}

// Error is why a call failed. Take it out of an error with errors.As; to ask for one status, errors.Is is enough.
type Error struct {
	Status     Status
	Message    string // what happened and what to do; never prompt text, keys or the server's words
	HTTPStatus int    // of the server's answer; 0 when there was none
	Retryable  bool   // the same call may succeed later
	Sent       Sent   // whether the server may have the prompt
	Attempts   int    // how many times the request was sent; if it never was, how often the server's key was fetched
	PayloadID  string // the request's X-Payload-ID header, for the server's log; "" if no request was sealed
	RequestID  string // the last response's X-Request-ID header, for a gateway's log; "" if it had none; untrusted

	// Details is the body of the server's error answer, at most 64 KiB. UNTRUSTED: nobody has authenticated it; do not
	// show it as if the server's enclave had said it.
	Details []byte

	headers         headers
	retryAfter      time.Duration
	retryAfterKnown bool
	causes          []error // why the call ended before its time: errors of its context, or ErrClosed
}

// RetryAfter is how long the server asked to wait before the next attempt. If the server named no time, RetryAfter returns 0
// and false.
func (e *Error) RetryAfter() (wait time.Duration, known bool) { return e.retryAfter, e.retryAfterKnown }

func (e *Error) Error() string {
	return "nomyo: " + e.Message
}

// Unwrap lets errors.Is find the Status. If a context ended the call, errors.Is finds context.Canceled or
// context.DeadlineExceeded, and the context's cause. If [Client.Shutdown] ended the call, errors.Is finds ErrClosed.
func (e *Error) Unwrap() []error {
	return append([]error{e.Status}, e.causes...)
}

// Sent says whether the encrypted request left this process.
type Sent int32

// The answers. SentNo is also the answer of calls that send no prompt.
const (
	SentNo    Sent = C.NOMYO_SENT_NO    // no byte of the request left this process
	SentMaybe Sent = C.NOMYO_SENT_MAYBE // bytes left in an attempt without an answer: the server may have processed the prompt
	SentYes   Sent = C.NOMYO_SENT_YES   // every attempt that left was answered: the error says how
)

// String is "no", "maybe" or "yes".
func (s Sent) String() string {
	switch s {
	case SentNo:
		return "no"
	case SentYes:
		return "yes"
	default:
		return "maybe"
	}
}

// check calls a C function, and returns its error.
func check(f func(err **C.nomyo_error) C.int32_t) error {
	var err *C.nomyo_error
	if status := f(&err); status != C.NOMYO_OK {
		return takeError(Status(status), err)
	}
	return nil
}

// takeError copies and frees what a C function left.
func takeError(status Status, err *C.nomyo_error) *Error {
	defer C.nomyo_error_free(err)
	e := &Error{
		Status:     status,
		Message:    C.GoString(C.nomyo_error_message(err)),
		HTTPStatus: int(C.nomyo_error_http_status(err)),
		Retryable:  C.nomyo_error_retryable(err) != 0,
		Sent:       Sent(C.nomyo_error_sent(err)),
		Attempts:   int(C.nomyo_error_attempts(err)),
		PayloadID:  C.GoString(C.nomyo_error_payload_id(err)),
		RequestID:  C.GoString(C.nomyo_error_request_id(err)),
		headers:    headers(C.GoString(C.nomyo_error_headers(err, nil))),
	}
	if ms := int64(C.nomyo_error_retry_after_ms(err)); ms >= 0 {
		e.retryAfterKnown, e.retryAfter = true, time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond)))*time.Millisecond
	}
	var n C.size_t
	if details := C.nomyo_error_details(err, &n); details != nil {
		e.Details = bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(details)), n))
	}
	return e
}

func argumentError(message string) *Error {
	return &Error{Status: ErrArgument, Message: message}
}

// withText calls f with s as NUL-terminated text. A NUL inside is refused: C would silently see a shorter text.
func withText(name, s string, f func(*C.char) error) error {
	if strings.IndexByte(s, 0) >= 0 {
		return argumentError(name + " contains a NUL")
	}
	text := C.CString(s)
	defer C.free(unsafe.Pointer(text))
	return f(text)
}

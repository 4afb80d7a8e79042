package nomyo

// #include "library.h"
import "C"

import (
	"encoding/json"
	"unsafe"
)

// Sealed is an encrypted request, for callers with an HTTP stack of their own. It holds no plaintext.
type Sealed struct {
	handle *handle[*C.nomyo_sealed]

	Body    []byte            // to POST to /v1/chat/secure_completion, any number of times
	Headers map[string]string // to send with it; Authorization: Bearer is yours to add
}

// Seal encrypts a request as for [Client.CreateJSON] for the server whose public key (PEM) is given, and sends nothing.
// Where that key comes from is the caller's business, and the whole security of the request hangs on it.
func (c *Client) Seal(serverKey, body []byte, opts ...CallOption) (*Sealed, error) {
	var out *C.nomyo_sealed
	err := c.withOptions(opts, func(call *call) error {
		pem, json := (*C.uint8_t)(unsafe.SliceData(serverKey)), (*C.uint8_t)(unsafe.SliceData(body))
		return c.call(func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
			return C.nomyo_seal(p, pem, C.size_t(len(serverKey)), json, C.size_t(len(body)), call.options, &out, err)
		})
	})
	if err != nil {
		return nil, err
	}
	var n, m C.size_t
	sealed := &Sealed{handle: newHandle(out, func(p *C.nomyo_sealed) { C.nomyo_sealed_free(p) })}
	sealed.Body = C.GoBytes(unsafe.Pointer(C.nomyo_sealed_body(out, &n)), C.int(n))
	return sealed, json.Unmarshal(view(C.nomyo_sealed_headers(out, &m), &m), &sealed.Headers)
}

// Open decrypts the body of the 200 that answered a sealed request.
func (c *Client) Open(request *Sealed, body []byte) (answer *Response, err error) {
	var out *C.nomyo_response
	err = request.handle.use(func(s *C.nomyo_sealed) error {
		answer := (*C.uint8_t)(unsafe.SliceData(body))
		return c.call(func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
			return C.nomyo_open(p, s, answer, C.size_t(len(body)), &out, err)
		})
	})
	if err != nil {
		return nil, err
	}
	return newResponse(out), nil
}

// Close frees it. Closing again does nothing. It always returns nil.
func (s *Sealed) Close() error { return s.handle.close() }

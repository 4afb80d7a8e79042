package nomyo

// #include "library.h"
import "C"

import (
	"context"
	"encoding/json"
	"unsafe"
)

// Sealed is an encrypted request, for callers with an HTTP stack of their own. It holds no plaintext.
type Sealed struct {
	handle *handle[*C.nomyo_sealed]

	Body    []byte            // to POST to /v1/chat/secure_completion, any number of times
	Headers map[string]string // to send with it; Authorization: Bearer is yours to add
}

// Seal encrypts a request as [Client.CreateJSON] does, for the server whose public key (PEM) is given, and sends nothing. The
// caller is responsible for where that key comes from: the security of the request depends on it. Seal waits for the
// client's key pair, if the pair has to be loaded, generated or replaced. WithCallAPIKey has no effect.
func (c *Client) Seal(ctx context.Context, serverKey, body []byte, opts ...CallOption) (*Sealed, error) {
	var out *C.nomyo_sealed
	err := c.bounded(ctx, opts, func(p *C.nomyo_client, options *C.nomyo_call_options, err **C.nomyo_error) C.int32_t {
		pem, json := (*C.uint8_t)(unsafe.SliceData(serverKey)), (*C.uint8_t)(unsafe.SliceData(body))
		return C.nomyo_seal(p, pem, C.size_t(len(serverKey)), json, C.size_t(len(body)), options, &out, err)
	})
	if err != nil {
		return nil, err
	}
	var n, m C.size_t
	sealed := &Sealed{handle: newHandle(out, func(p *C.nomyo_sealed) { C.nomyo_sealed_free(p) })}
	sealed.Body = C.GoBytes(unsafe.Pointer(C.nomyo_sealed_body(out, &n)), C.int(n))
	return sealed, json.Unmarshal(view(C.nomyo_sealed_headers(out, &m), &m), &sealed.Headers)
}

// Open decrypts the body of the 200 that answered a sealed request. It waits for nothing.
func (c *Client) Open(request *Sealed, body []byte) (answer *Response, err error) {
	var out *C.nomyo_response
	err = request.handle.use(func(s *C.nomyo_sealed) error {
		answer := (*C.uint8_t)(unsafe.SliceData(body))
		return c.handle.use(func(p *C.nomyo_client) error {
			return check(func(err **C.nomyo_error) C.int32_t {
				return C.nomyo_open(p, s, answer, C.size_t(len(body)), &out, err)
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return newResponse(out), nil
}

// Close frees the request. If another goroutine is opening its answer, the last one frees it. Closing again does nothing.
// Close always returns nil.
func (s *Sealed) Close() error {
	s.handle.close()
	return nil
}

//go:build cgo

package nomyo

import (
	"encoding/json"
	"strings"
)

// headers are the headers of a response: a JSON object of strings with names in small letters, or "" if there was no response.
type headers string

// get is the value of a header, its name in any case; "" if there is none.
func (h headers) get(name string) string { return h.all()[strings.ToLower(name)] }

func (h headers) all() map[string]string {
	all := map[string]string{}
	if h != "" {
		_ = json.Unmarshal([]byte(h), &all) // the library has written it
	}
	return all
}

// Header is the value of a header of the HTTP response, its name in any case; "" if there was none. Values of the same name are
// one, with ", " between them. UNTRUSTED: nobody has authenticated it.
func (r *Response) Header(name string) string { return r.headers.get(name) }

// Headers are all headers of the HTTP response, by their names in small letters. UNTRUSTED: nobody has authenticated them.
func (r *Response) Headers() map[string]string { return r.headers.all() }

// Header is the value of a header of the last HTTP response, as [Response.Header].
func (e *Error) Header(name string) string { return e.headers.get(name) }

// Headers are all headers of the last HTTP response, as [Response.Headers]; none if there was no response.
func (e *Error) Headers() map[string]string { return e.headers.all() }

package nomyo

// #include "library.h"
import "C"

import (
	"bytes"
	"io"
	"unsafe"
)

// Secret is what an API key or a password can be given as. Only SecretBytes leaves no copy in Go's memory.
type Secret interface {
	string | []byte | *SecretBytes
}

// SecretBytes is memory for a secret of yours: outside Go's heap, between guard pages, locked as the policy in force asks
// and the system allows, kept out of core dumps, and wiped by Close. Any number of goroutines may use it at once; what
// they do with the bytes is theirs to order.
type SecretBytes struct {
	handle *handle[unsafe.Pointer]
	n      int
}

// NewSecretBytes makes n zero bytes; fill them with [SecretBytes.Use].
func NewSecretBytes(n int) (*SecretBytes, error) {
	if n < 0 {
		return nil, argumentError("n is negative")
	}
	var p unsafe.Pointer
	err := check(func(err **C.nomyo_error) C.int32_t {
		p = C.nomyo_secret_alloc(C.size_t(n), err)
		return C.nomyo_error_status(*err)
	})
	if err != nil {
		return nil, err
	}
	return newSecretBytes(p, n), nil
}

// newSecretBytes owns p, memory as nomyo_secret_alloc returns it.
func newSecretBytes(p unsafe.Pointer, n int) *SecretBytes {
	return &SecretBytes{newHandle(p, func(p unsafe.Pointer) { C.nomyo_secret_free(p) }), n}
}

// ReadSecret reads all of r, such as a file, straight into secret memory, but for a line break at the end. More than limit
// bytes are an error; so many are taken at once.
func ReadSecret(r io.Reader, limit int) (*SecretBytes, error) {
	s, err := NewSecretBytes(limit + 1)
	if err != nil {
		return nil, err
	}
	err = s.Use(func(b []byte) error {
		n, err := io.ReadFull(r, b)
		s.n = len(bytes.TrimRight(b[:n], "\r\n"))
		return err
	})
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return s, nil
	}
	s.Close()
	if err == nil {
		err = argumentError("the secret is too long")
	}
	return nil, err
}

// Use gives f the bytes themselves, to read or to write. They are valid until f returns, even if the secret is closed
// meanwhile; f must not keep them. The error is f's, or ErrClosed.
func (s *SecretBytes) Use(f func(b []byte) error) error {
	return s.handle.use(func(p unsafe.Pointer) error { return f(unsafe.Slice((*byte)(p), s.n)) })
}

// Close wipes and frees the memory, and waits for nobody: during a Use, the last one to return wipes it. Closing again does
// nothing. Close always returns nil.
func (s *SecretBytes) Close() error {
	s.handle.close()
	return nil
}

// withSecret gives a secret to C for the length of a call, wherever it lies.
func withSecret[S Secret](secret S, f func(*C.uint8_t, C.size_t) error) error {
	switch s := any(secret).(type) {
	case *SecretBytes:
		return s.Use(func(b []byte) error { return withSecret(b, f) })
	case []byte:
		return f((*C.uint8_t)(unsafe.SliceData(s)), C.size_t(len(s)))
	default:
		text := s.(string)
		return f((*C.uint8_t)(unsafe.StringData(text)), C.size_t(len(text)))
	}
}

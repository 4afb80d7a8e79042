package nomyo

import (
	"errors"
	"runtime"
	"sync"
)

// ErrClosed is returned by every method that is called after Close. A method without an error result panics with it.
var ErrClosed = errors.New("nomyo: used after Close")

// handle owns a C object: it is freed once, and not while a call uses it. No lock is held during a call, so a call may
// make other calls with the same object, or close it, without waiting for anybody.
type handle[P any] struct {
	p     P
	free  func(P)
	freed chan struct{} // closed after free has returned

	mu     sync.Mutex
	users  int  // the calls in flight, and 1 until the handle is closed; the object is freed at 0
	closed bool // no further call begins
}

func newHandle[P any](p P, free func(P)) *handle[P] {
	h := &handle[P]{p: p, free: free, freed: make(chan struct{}), users: 1}
	runtime.SetFinalizer(h, func(h *handle[P]) { h.close() })
	return h
}

// use calls f with the object.
func (h *handle[P]) use(f func(P) error) error {
	if !h.enter() {
		return ErrClosed
	}
	defer h.leave() // keeps h reachable until here, so that the finalizer does not run during f
	return f(h.p)
}

func (h *handle[P]) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.users++
	return true
}

func (h *handle[P]) leave() {
	h.mu.Lock()
	h.users--
	last := h.users == 0
	h.mu.Unlock()
	if last {
		runtime.SetFinalizer(h, nil)
		h.free(h.p)
		close(h.freed)
	}
}

// close lets no further call begin, and frees the object: now, or when the last call in flight returns. The channel is
// closed when that has happened.
func (h *handle[P]) close() (freed <-chan struct{}) {
	h.mu.Lock()
	first := !h.closed
	h.closed = true
	h.mu.Unlock()
	if first {
		h.leave()
	}
	return h.freed
}

package nomyo

/*
#include <stdint.h>

// The cgo.Handle of the context of the call that this thread makes, or 0.
static _Thread_local uintptr_t context_here;

static uintptr_t replace_context(uintptr_t context) {
	uintptr_t before = context_here;
	context_here = context;
	return before;
}

static uintptr_t get_context(void) {
	return context_here;
}
*/
import "C"

import (
	"context"
	"runtime"
	"runtime/cgo"
)

// withCallersContext calls f so that lines that the library logs meanwhile reach the logger with ctx. The library logs on the
// thread that called it, so the goroutine must stay on its thread during f.
func withCallersContext(ctx context.Context, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	handle := cgo.NewHandle(ctx)
	defer handle.Delete()
	before := C.replace_context(C.uintptr_t(handle))
	defer C.replace_context(before)
	f()
}

// callersContext is the context of the call that this thread makes.
func callersContext() context.Context {
	if handle := C.get_context(); handle != 0 {
		return cgo.Handle(handle).Value().(context.Context)
	}
	return context.Background() // as in NewClient, which takes no context
}

package nomyo

// #include "library.h"
import "C"

import (
	"context"
	"errors"
	"time"
)

// bounded calls f with options that bound it by ctx: every method that can block goes through here. The library watches
// the deadline, and the end of ctx triggers the cancel handle in the options.
func (c *Client) bounded(ctx context.Context, opts []CallOption,
	f func(*C.nomyo_client, *C.nomyo_call_options, **C.nomyo_error) C.int32_t) error {
	if ctx == nil {
		return argumentError("ctx is nil: pass context.Background() if nothing ends the call")
	}
	return c.handle.use(func(p *C.nomyo_client) error {
		call := call{C.nomyo_call_options_new(), c.timeout}
		defer C.nomyo_call_options_free(call.options)
		for _, set := range opts {
			if err := set(&call); err != nil {
				return err
			}
		}
		if err := c.over(ctx); err != nil {
			return err
		}
		leave, err := c.takePlace(ctx, &call)
		if err != nil {
			return err
		}
		defer leave()
		stop, err := c.bind(ctx, &call)
		if err != nil {
			return err
		}
		defer stop()
		run := func() {
			err = check(func(err **C.nomyo_error) C.int32_t { return f(p, call.options, err) })
		}
		if c.logs {
			withCallersContext(ctx, run)
		} else {
			run()
		}
		if e := (*Error)(nil); errors.As(err, &e) {
			e.causes = c.causes(ctx, e.Status)
		}
		return err
	})
}

// during calls f, whose C function takes no options, with a handle of the client that is bounded by ctx.
func (c *Client) during(ctx context.Context, f func(*C.nomyo_client, **C.nomyo_error) C.int32_t) error {
	return c.bounded(ctx, nil, func(p *C.nomyo_client, options *C.nomyo_call_options, err **C.nomyo_error) C.int32_t {
		var bound *C.nomyo_client
		if status := C.nomyo_client_with_options(p, options, &bound, err); status != C.NOMYO_OK {
			return status
		}
		defer C.nomyo_client_free(bound)
		return f(bound, err)
	})
}

// bind lets ctx, and Shutdown, end the call until stop is called.
func (c *Client) bind(ctx context.Context, call *call) (stop func(), err error) {
	deadline, limited := ctx.Deadline()
	if left := time.Until(deadline); limited && left < call.timeout {
		if err := WithCallTimeout(max(left, 1))(call); err != nil {
			return nil, err
		}
	}
	cancel := C.nomyo_cancel_new()
	err = check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_call_options_set_cancel(call.options, cancel, err) })
	if err != nil {
		C.nomyo_cancel_free(cancel)
		return nil, err
	}
	stopContext := whenDone(ctx, func() {
		if !limited || !errors.Is(ctx.Err(), context.DeadlineExceeded) { // else the timeout in the options ends the call
			C.nomyo_cancel_trigger(cancel)
		}
	})
	stopAbort := whenDone(c.aborted, func() { C.nomyo_cancel_trigger(cancel) })
	return func() {
		stopContext()
		stopAbort()
		C.nomyo_cancel_free(cancel)
	}, nil
}

// whenDone calls f when ctx ends, but not after stop has returned.
func whenDone(ctx context.Context, f func()) (stop func()) {
	returned := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(returned)
		f()
	})
	return func() {
		if !cancel() {
			<-returned
		}
	}
}

// causes are the errors, beside its status, that errors.Is finds in the error of a call: why it ended before its time.
func (c *Client) causes(ctx context.Context, status Status) []error {
	deadline, limited := ctx.Deadline()
	switch {
	case status == ErrCancelled && ctx.Err() != nil:
		return []error{ctx.Err(), context.Cause(ctx)}
	case status == ErrCancelled && c.aborted.Err() != nil:
		return []error{ErrClosed}
	case status == ErrTimeout && limited && !time.Now().Before(deadline):
		return deadlinePassed(ctx)
	}
	return nil
}

// deadlinePassed are the causes of a call whose context's deadline has passed.
func deadlinePassed(ctx context.Context) []error {
	select {
	case <-ctx.Done(): // now, or when its timer has had its turn
	case <-time.After(100 * time.Millisecond): // a context of another package may say a deadline, and never end
	}
	if cause := context.Cause(ctx); errors.Is(ctx.Err(), context.DeadlineExceeded) && cause != nil {
		return []error{context.DeadlineExceeded, cause}
	}
	return []error{context.DeadlineExceeded}
}

// tooLate is the error of a call whose context had ended before it began.
func tooLate(ctx context.Context) *Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &Error{Status: ErrTimeout, Message: "the context's deadline passed before the call began; the request was not sent",
			causes: deadlinePassed(ctx)}
	}
	return &Error{Status: ErrCancelled, Message: "the context was cancelled before the call began; the request was not sent",
		causes: []error{ctx.Err(), context.Cause(ctx)}}
}

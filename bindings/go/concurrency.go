//go:build cgo

package nomyo

import (
	"context"
	"time"
)

// WithMaxConcurrency limits how many calls of the client are in the library at once. A call beyond the limit waits for a
// place, as long as its context and its timeout allow. Close waits for that call, too. A waiting call is a goroutine; a call
// in the library occupies an OS thread too, and Go ends a process that has 10 000 threads. Default: no limit.
func WithMaxConcurrency(calls int) Option {
	return func(c *config) error {
		if calls < 1 {
			return argumentError("the limit of concurrent calls is less than 1: leave WithMaxConcurrency out to have no limit")
		}
		c.places = make(chan struct{}, calls)
		return nil
	}
}

// takePlace waits for a place among the calls in the library, until leave is called. The wait is part of the call's timeout.
func (c *Client) takePlace(ctx context.Context, call *call) (leave func(), err error) {
	if c.places == nil {
		return func() {}, nil
	}
	leave = func() { <-c.places }
	select {
	case c.places <- struct{}{}:
		return leave, nil
	default:
	}
	begun := time.Now()
	timer := time.NewTimer(call.timeout)
	defer timer.Stop()
	select {
	case c.places <- struct{}{}:
		err := c.over(ctx) // because select chooses at random
		if err == nil {
			err = WithCallTimeout(max(call.timeout-time.Since(begun), 1))(call)
		}
		if err != nil {
			leave()
			return nil, err
		}
		return leave, nil
	case <-ctx.Done():
		return nil, c.over(ctx)
	case <-c.aborted.Done():
		return nil, c.over(ctx)
	case <-timer.C:
		return nil, &Error{Status: ErrTimeout, Message: "the timeout passed while the call waited for other calls; allow more time " +
			"with the timeout option, or more calls with WithMaxConcurrency; the request was not sent"}
	}
}

// over is the error of a call that need not begin any more, or nil.
func (c *Client) over(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return tooLate(ctx)
	case c.aborted.Err() != nil:
		return &Error{Status: ErrCancelled, Message: "the client was shut down before the call began; the request was not sent",
			causes: []error{ErrClosed}}
	}
	return nil
}

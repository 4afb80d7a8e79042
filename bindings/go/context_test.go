package nomyo_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

const slow = `{"delay_before_headers_ms":60000}`

// requests is how many the endpoint has read.
func requests(t *testing.T) int {
	t.Helper()
	var stats struct{ Requests int }
	if err := json.Unmarshal(control(t, "stats", ""), &stats); err != nil {
		t.Fatal(err)
	}
	return stats.Requests
}

func TestCancellingEndsTheCallUnderWay(t *testing.T) {
	client, before := sharedClient(t), requests(t)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for requests(t) == before {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	begun := time.Now()
	_, err := client.Create(ctx, chat("x", "nomyo_test", slow))
	if !errors.Is(err, nomyo.ErrCancelled) || !errors.Is(err, context.Canceled) || time.Since(begun) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}

func TestNothingIsSentWhenTheContextIsOver(t *testing.T) {
	client, before := sharedClient(t), requests(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client.Create(ctx, chat("x")); !errors.Is(err, nomyo.ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	ctx, cancel = context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := client.Create(ctx, chat("x"))
	if !errors.Is(err, nomyo.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("late: %v", err)
	}
	if after := requests(t); after != before {
		t.Errorf("%d requests were sent", after-before)
	}
}

func TestTheContextsDeadlineIsTheCalls(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := sharedClient(t).Create(ctx, chat("x", "nomyo_test", slow))
	if !errors.Is(err, nomyo.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("not a timeout: %v", err)
	}
}

func TestClientTimeoutHoldsUnderALaterDeadline(t *testing.T) {
	client := withKeys(t, newClient(t, nomyo.WithTimeout(300*time.Millisecond)))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := client.Create(ctx, chat("x", "nomyo_test", slow))
	if !errors.Is(err, nomyo.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	later := chat("x", "nomyo_test", `{"delay_before_headers_ms":600}`)
	if _, err := client.Create(ctx, later, nomyo.WithCallTimeout(time.Minute)); err != nil {
		t.Errorf("a call's own timeout: %v", err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err = client.Create(ctx, later, nomyo.WithCallTimeout(time.Minute))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a sooner deadline: %v", err)
	}
}

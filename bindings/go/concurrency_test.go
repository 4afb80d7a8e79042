package nomyo_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// threads is how many OS threads this process has.
func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// TestALimitOfConcurrentCallsLimitsTheThreads runs in a process of its own, because Go keeps the threads of earlier tests.
func TestALimitOfConcurrentCallsLimitsTheThreads(t *testing.T) {
	const here, limit, calls = "NOMYO_TEST_THREADS", 8, 60
	if os.Getenv(here) == "" {
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
		child.Env = append(os.Environ(), here+"=1")
		if said, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%.2000s", err, said)
		}
		return
	}
	client := withKeys(t, newClient(t, nomyo.WithMaxConcurrency(limit)))
	before := threads(t)
	var group sync.WaitGroup
	for range calls {
		group.Add(1)
		go func() {
			defer group.Done()
			answer, err := client.Create(context.Background(), chat("x", "nomyo_test", `{"delay_before_headers_ms":200}`))
			if err != nil {
				t.Error(err)
				return
			}
			answer.Close()
		}()
	}
	begun := time.Now()
	group.Wait()
	// Go adds a few threads of its own. It keeps every thread, so this is the most there ever were.
	if after := threads(t); after > before+limit+limit {
		t.Errorf("%d threads before, %d after", before, after)
	}
	if took := time.Since(begun); took < calls/limit*200*time.Millisecond {
		t.Errorf("%v is too short for %d calls at once", took, limit)
	}
}

// full is a client all of whose places are taken by a call that lasts until its key directory is free.
func full(t *testing.T) *nomyo.Client {
	t.Helper()
	client := newClient(t, nomyo.WithKeyDir(held(t)), nomyo.WithMaxConcurrency(1))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = client.WarmUp(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	time.Sleep(soon)
	return client
}

func TestACallThatWaitsForAPlaceObeysItsContext(t *testing.T) {
	client := full(t)
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	begun := time.Now()
	_, err := client.Create(ctx, chat("x"))
	if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, nomyo.ErrTimeout) || took > atLatest {
		t.Errorf("%v after %v", err, took)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	time.AfterFunc(soon, cancel)
	if err := client.WarmUp(cancelled); !errors.Is(err, context.Canceled) || !errors.Is(err, nomyo.ErrCancelled) {
		t.Error(err)
	}
}

func TestTheWaitForAPlaceIsPartOfTheTimeout(t *testing.T) {
	client := full(t)
	begun := time.Now()
	_, err := client.Create(context.Background(), chat("x"), nomyo.WithCallTimeout(soon))
	if took := time.Since(begun); !errors.Is(err, nomyo.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || took > atLatest {
		t.Errorf("%v after %v", err, took)
	}
	// A call that gets its place late has the rest of its time.
	client = withKeys(t, newClient(t, nomyo.WithMaxConcurrency(1)))
	first := inFlight(t, client, `{"delay_before_headers_ms":800}`)
	begun = time.Now()
	_, err = client.Create(context.Background(), chat("x", "nomyo_test", slow), nomyo.WithCallTimeout(1200*time.Millisecond))
	if took := time.Since(begun); !errors.Is(err, nomyo.ErrTimeout) || took > 1600*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestShutdownEndsTheCallsThatWaitForAPlace(t *testing.T) {
	client := full(t)
	waiting := make(chan error)
	go func() { _, err := client.Create(context.Background(), chat("x")); waiting <- err }()
	time.Sleep(soon)
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	within(t, atLatest, func() {
		if err := client.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Error(err)
		}
		err := <-waiting
		if !errors.Is(err, nomyo.ErrClosed) || !errors.Is(err, nomyo.ErrCancelled) || !strings.Contains(err.Error(), "shut down before") {
			t.Error(err)
		}
	})
}

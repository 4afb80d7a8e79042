package nomyo_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// within fails the test if f does not return in time, as in a deadlock.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("still waiting after %v", limit)
	}
}

// viewed is an object that lends its memory to a function.
type viewed struct {
	io.Closer
	view func(f func([]byte) error) error
}

var eachView = map[string]func(t *testing.T) viewed{
	"Response.ViewContent": func(t *testing.T) viewed { r := ask(t, chat("x")); return viewed{r, r.ViewContent} },
	"Response.ViewJSON":    func(t *testing.T) viewed { r := ask(t, chat("x")); return viewed{r, r.ViewJSON} },
	"SecretBytes.Use": func(t *testing.T) viewed {
		s, err := nomyo.NewSecretBytes(1)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Use(func(b []byte) error { b[0] = 'x'; return nil }); err != nil {
			t.Fatal(err)
		}
		return viewed{s, s.Use}
	},
}

func TestAViewInsideAViewDoesNotWaitForClose(t *testing.T) {
	for name, create := range eachView {
		t.Run(name, func(t *testing.T) {
			object := create(t)
			within(t, 5*time.Second, func() {
				err := object.view(func(b []byte) error {
					before := string(b)
					go object.Close()
					for object.view(func([]byte) error { return nil }) != nomyo.ErrClosed {
						time.Sleep(time.Millisecond)
					}
					if before == "" || string(b) != before {
						t.Errorf("the view shows %q, and %q after Close", before, b)
					}
					return io.ErrNoProgress
				})
				if err != io.ErrNoProgress {
					t.Error(err)
				}
			})
		})
	}
}

func TestAViewMayCloseItsObject(t *testing.T) {
	for name, create := range eachView {
		t.Run(name, func(t *testing.T) {
			object := create(t)
			within(t, 5*time.Second, func() {
				err := object.view(func(b []byte) error {
					before := string(b)
					object.Close()
					if before == "" || string(b) != before {
						t.Errorf("the view shows %q, and %q after Close", before, b)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
			if err := object.view(func([]byte) error { return nil }); err != nomyo.ErrClosed {
				t.Error(err)
			}
		})
	}
}

func TestTheLastViewFreesTheMemory(t *testing.T) {
	const size = 4 << 20
	before := nomyo.Memory().Mapped
	secret, err := nomyo.NewSecretBytes(size)
	if err != nil {
		t.Fatal(err)
	}
	err = secret.Use(func([]byte) error {
		secret.Close()
		if mapped := nomyo.Memory().Mapped; mapped < before+size {
			t.Errorf("freed during the view: %d bytes, %d before", mapped, before)
		}
		return nil
	})
	if mapped := nomyo.Memory().Mapped; err != nil || mapped >= before+size {
		t.Errorf("not freed: %d bytes, %d before, %v", mapped, before, err)
	}
}

func TestAPanicInAViewFreesTheMemory(t *testing.T) {
	const size = 4 << 20
	before := nomyo.Memory().Mapped
	secret, err := nomyo.NewSecretBytes(size)
	if err != nil {
		t.Fatal(err)
	}
	with := panics(func() {
		_ = secret.Use(func([]byte) error {
			secret.Close()
			panic("mine")
		})
	})
	if mapped := nomyo.Memory().Mapped; with != "mine" || mapped >= before+size {
		t.Errorf("%v: %d bytes, %d before", with, mapped, before)
	}
	answer := ask(t, chat("x"))
	err = answer.ViewContent(func(text []byte) error {
		answer.Close()
		if with := panics(func() { answer.Pointer("") }); with != nomyo.ErrClosed || string(text) != "x" {
			t.Errorf("Pointer in the view: %v, and the text is %q", with, text)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTwoViewsMayCloseEachOther(t *testing.T) {
	for name, create := range eachView {
		t.Run(name, func(t *testing.T) {
			a, b, both := create(t), create(t), [2]chan struct{}{}
			for i := range both {
				both[i] = make(chan struct{})
			}
			within(t, 5*time.Second, func() {
				other := make(chan struct{})
				go func() {
					defer close(other)
					_ = b.view(func([]byte) error { close(both[1]); <-both[0]; return a.Close() })
				}()
				_ = a.view(func([]byte) error { close(both[0]); <-both[1]; return b.Close() })
				<-other
			})
		})
	}
}

// inFlight starts a call that the endpoint answers after the delay, and returns when the endpoint has read its request.
func inFlight(t *testing.T, client *nomyo.Client, fault string) (result chan error) {
	t.Helper()
	before := requests(t)
	result = make(chan error, 1)
	go func() {
		answer, err := client.Create(context.Background(), chat("x", "nomyo_test", fault))
		if err == nil {
			answer.Close()
		}
		result <- err
	}()
	for requests(t) == before {
		if len(result) > 0 {
			t.Fatalf("the call ended before it was in flight: %v", <-result)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return result
}

func TestACallBegunWhileCloseWaitsEndsAtOnce(t *testing.T) {
	client := withKeys(t, newClient(t))
	slow := inFlight(t, client, `{"delay_before_headers_ms":3000}`)
	closed := make(chan struct{})
	go func() {
		client.Close()
		close(closed)
	}()
	time.Sleep(300 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := client.Create(ctx, chat("y"))
	if took := time.Since(begun); err != nomyo.ErrClosed || took > time.Second {
		t.Errorf("%v after %v", err, took)
	}
	select {
	case <-closed:
		t.Error("Close did not wait for the call in flight")
	default:
	}
	if err := <-slow; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	<-closed
}

func TestShutdownEndsTheCallsInFlight(t *testing.T) {
	client := withKeys(t, newClient(t))
	calls := []chan error{inFlight(t, client, slow), inFlight(t, client, slow)}
	closed := make(chan error)
	go func() { closed <- client.Close() }() // waits for the calls, too
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	begun := time.Now()
	err := client.Shutdown(ctx)
	if took := time.Since(begun); err != context.DeadlineExceeded || took < soon || took > atLatest {
		t.Errorf("%v after %v", err, took)
	}
	for _, call := range calls {
		err := <-call
		if !errors.Is(err, nomyo.ErrCancelled) || !errors.Is(err, nomyo.ErrClosed) || errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if sent := refused(t, err).Sent; sent != nomyo.SentMaybe {
			t.Errorf("sent: %v", sent)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestShutdownLetsCallsEndByThemselves(t *testing.T) {
	client := withKeys(t, newClient(t))
	call := inFlight(t, client, `{"delay_before_headers_ms":500}`)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := client.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := <-call; err != nil {
		t.Error(err)
	}
	cancel()
	if err := client.Shutdown(ctx); err != nil {
		t.Errorf("closed already: %v", err)
	}
	if err := newClient(t).Shutdown(ctx); err != nil {
		t.Errorf("without calls: %v", err)
	}
}

func TestContextsEndTheCallsThatCloseWaitsFor(t *testing.T) {
	client := newClient(t, nomyo.WithKeyDir(held(t)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error)
	for _, call := range []func() error{
		func() error { return client.WarmUp(ctx) },
		func() error { _, err := client.PublicKey(ctx); return err },
		func() error { _, err := client.Create(ctx, chat("x")); return err },
	} {
		go func() { ended <- call() }()
	}
	time.Sleep(soon)
	closed := make(chan error)
	go func() { closed <- client.Close() }()
	time.Sleep(soon)
	select {
	case <-closed:
		t.Error("Close did not wait")
	case <-ended:
		t.Error("Close ended a call")
	default:
	}
	within(t, atLatest, func() {
		cancel()
		for range 3 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		<-closed
	})
}

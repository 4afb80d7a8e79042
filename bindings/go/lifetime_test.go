package nomyo_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func TestResponseOutlivesItsClient(t *testing.T) {
	client := withKeys(t, newClient(t))
	answer, err := client.Create(context.Background(), chat("still"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	client.Close()
	if got := answer.Content(); got != "still" {
		t.Errorf("%q", got)
	}
}

func TestUseAfterClose(t *testing.T) {
	answer := ask(t, chat("x"))
	id := answer.PayloadID()
	for range 2 {
		if err := answer.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, f := range map[string]func(){
		"Content": func() { answer.Content() }, "Usage": func() { answer.Usage() },
		"JSON": func() { answer.JSON() }, "Pointer": func() { answer.Pointer("") },
	} {
		if with := panics(f); with != nomyo.ErrClosed {
			t.Errorf("%s: %v", name, with)
		}
	}
	if err := answer.ViewContent(func([]byte) error { t.Error("called"); return nil }); err != nomyo.ErrClosed {
		t.Errorf("ViewContent: %v", err)
	}
	if choices, err := answer.Choices(); choices != nil || err != nomyo.ErrClosed {
		t.Errorf("Choices: %v, %v", choices, err)
	}
	if answer.PayloadID() != id {
		t.Error("PayloadID went away")
	}

	client := newClient(t)
	for range 2 {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	ctx := context.Background()
	_, created := client.Create(ctx, chat("x"))
	_, _, server := client.ServerKey(ctx)
	_, public := client.PublicKey(ctx)
	_, chain := client.TLSChain(ctx)
	_, sealed := client.Seal(ctx, nil, nil)
	for i, err := range []error{created, server, public, chain, sealed, client.WarmUp(ctx), client.LoadKeys(ctx, "x", "", nil),
		client.GenerateKeys(ctx, "", nil), client.SaveKeys(ctx, "x", nil), client.RotateKeys(ctx)} {
		if err != nomyo.ErrClosed {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	client := sharedClient(t)
	var group sync.WaitGroup
	for i := range 16 {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := range 4 {
				said := strings.Repeat(fmt.Sprintf("%d/%d ", i, j), 100)
				answer, err := client.Create(context.Background(), chat(said))
				if err != nil {
					t.Error(err)
					return
				}
				if got := answer.Content(); got != said { // left to the finalizer
					t.Errorf("%q", got)
				}
			}
		}()
	}
	group.Wait()
	runtime.GC()
}

func TestCloseRacesWithReaders(t *testing.T) {
	answer := ask(t, chat("x"))
	var group sync.WaitGroup
	for range 16 {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				err := answer.ViewContent(func(text []byte) error {
					if string(text) != "x" {
						t.Errorf("%q", text)
					}
					return nil
				})
				if errors.Is(err, nomyo.ErrClosed) {
					return
				}
			}
		}()
	}
	time.Sleep(20 * time.Millisecond)
	answer.Close()
	group.Wait()
}

func TestCloseWaitsForTheCallUnderWay(t *testing.T) {
	client, before := withKeys(t, newClient(t)), requests(t)
	done := make(chan error, 1)
	go func() {
		answer, err := client.Create(context.Background(), chat("x", "nomyo_test", `{"delay_before_headers_ms":1500}`))
		if err == nil {
			answer.Close()
		}
		done <- err
	}()
	for requests(t) == before {
		time.Sleep(10 * time.Millisecond)
	}
	client.Close()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Second): // Close has waited for the call: it has only to be handed over
		t.Error("Close returned before the call did")
	}
}

func TestProgramsCanBeStartedDuringCalls(t *testing.T) {
	client := sharedClient(t)
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan error, 1)
	go func() {
		defer close(started)
		for ctx.Err() == nil {
			if said, err := exec.Command("echo", "here").CombinedOutput(); err != nil || string(said) != "here\n" {
				started <- fmt.Errorf("%q, %w", said, err)
				return
			}
		}
	}()
	for range 20 {
		answer, err := client.Create(context.Background(), chat("x"))
		if err != nil {
			t.Fatal(err)
		}
		answer.Close()
	}
	cancel()
	if err := <-started; err != nil {
		t.Error(err)
	}
}

package nomyo_test

import (
	"context"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
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

// held is a key directory whose lock another process holds, as far as the library can tell.
func held(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".nomyo.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Close() })
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return dir
}

// silent is the URL of a server that accepts connections and never answers.
func silent(t *testing.T) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "https://" + listener.Addr().String()
}

// slowToDecrypt is a private key file whose password takes the library seconds to try.
func slowToDecrypt(t *testing.T) (path string) {
	t.Helper()
	type algorithm struct {
		ID         asn1.ObjectIdentifier
		Parameters any `asn1:"optional"`
	}
	pbkdf2 := algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, struct {
		Salt       []byte
		Iterations int
		PRF        algorithm
	}{make([]byte, 16), 10_000_000, algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, asn1.NullRawValue}}}
	aes256cbc := algorithm{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, make([]byte, 16)}
	file, err := asn1.Marshal(struct {
		Scheme algorithm
		Data   []byte
	}{algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, struct{ KDF, Cipher algorithm }{pbkdf2, aes256cbc}}, make([]byte, 2400)})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "private_key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: file})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// blocked are calls of every method with a context, each held up by something that lasts longer than the test.
func blocked(t *testing.T) map[string]func(context.Context) error {
	t.Helper()
	inDirectory := newClient(t, nomyo.WithKeyDir(held(t)))
	unanswered := withKeys(t, newClient(t, nomyo.WithBaseURL(silent(t)), nomyo.WithConnectTimeout(time.Minute)))
	served := sharedClient(t)
	serverKey, slowKey := fixture(t, "keys/server_public.pem"), slowToDecrypt(t)
	generateInto, saveInto := held(t), held(t)
	return map[string]func(context.Context) error{
		"WarmUp, key directory": inDirectory.WarmUp,
		"WarmUp, server":        unanswered.WarmUp,
		"ServerKey":             func(ctx context.Context) error { _, _, err := unanswered.ServerKey(ctx); return err },
		"TLSChain":              func(ctx context.Context) error { _, err := unanswered.TLSChain(ctx); return err },
		"PublicKey":             func(ctx context.Context) error { _, err := inDirectory.PublicKey(ctx); return err },
		"GenerateKeys":          func(ctx context.Context) error { return inDirectory.GenerateKeys(ctx, generateInto, nil) },
		"LoadKeys":              func(ctx context.Context) error { return inDirectory.LoadKeys(ctx, slowKey, "", []byte("password")) },
		"LoadKeysPEM": func(ctx context.Context) error {
			text, err := os.ReadFile(slowKey)
			if err != nil {
				return err
			}
			return inDirectory.LoadKeysPEM(ctx, text, nil, []byte("password"))
		},
		"PrivateKeyPEM": func(ctx context.Context) error { _, err := inDirectory.PrivateKeyPEM(ctx, nil); return err },
		"SaveKeys":      func(ctx context.Context) error { return unanswered.SaveKeys(ctx, saveInto, nil) },
		"RotateKeys":    inDirectory.RotateKeys,
		"Seal": func(ctx context.Context) error {
			_, err := inDirectory.Seal(ctx, serverKey, []byte(`{"messages":[]}`))
			return err
		},
		"Create, key directory": func(ctx context.Context) error { _, err := inDirectory.Create(ctx, chat("x")); return err },
		"Create, connection":    func(ctx context.Context) error { _, err := unanswered.Create(ctx, chat("x")); return err },
		"CreateJSON, answer": func(ctx context.Context) error {
			_, err := served.Create(ctx, chat("x", "nomyo_test", slow))
			return err
		},
	}
}

const (
	soon     = 200 * time.Millisecond
	atLatest = soon + 2*time.Second // the machine may be busy
)

func TestADeadlineEndsEveryCall(t *testing.T) {
	for name, call := range blocked(t) {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), soon)
			defer cancel()
			err := call(ctx)
			took := time.Since(begun)
			t.Logf("%v after its deadline", took-soon)
			if !errors.Is(err, nomyo.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || took < soon || took > atLatest {
				t.Errorf("%v after %v", err, took)
			}
			refused(t, err)
		})
	}
}

func TestCancellingEndsEveryCall(t *testing.T) {
	why := errors.New("why")
	for name, call := range blocked(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			begun := time.Now()
			time.AfterFunc(soon, func() { cancel(why) })
			err := call(ctx)
			took := time.Since(begun)
			t.Logf("%v after it was cancelled", took-soon)
			if !errors.Is(err, nomyo.ErrCancelled) || !errors.Is(err, context.Canceled) || !errors.Is(err, why) || took > atLatest {
				t.Errorf("%v after %v", err, took)
			}
			if refused(t, err); errors.Is(err, nomyo.ErrClosed) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v has more causes than one", err)
			}
		})
	}
}

func TestNoCallBeginsWhenTheContextIsOver(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	before := requests(t)
	for name, call := range blocked(t) {
		begun, err := time.Now(), call(cancelled)
		if took := time.Since(begun); !errors.Is(err, nomyo.ErrCancelled) || !errors.Is(err, context.Canceled) || took > time.Second {
			t.Errorf("%s, cancelled: %v after %v", name, err, took)
		}
		begun, err = time.Now(), call(late)
		if took := time.Since(begun); !errors.Is(err, nomyo.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
			t.Errorf("%s, late: %v after %v", name, err, took)
		}
	}
	if after := requests(t); after != before {
		t.Errorf("%d requests were sent", after-before)
	}
}

func TestAContextEndsItsOwnCallAlone(t *testing.T) {
	client := newClient(t, nomyo.WithKeyDir(held(t)))
	patient, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() { first <- client.WarmUp(patient) }()
	time.Sleep(soon / 2) // the others wait behind it
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			ctx, cancel := context.WithTimeout(context.Background(), soon)
			defer cancel()
			begun := time.Now()
			_, err := client.PublicKey(ctx)
			if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took > atLatest {
				t.Errorf("%v after %v", err, took)
			}
		}()
	}
	group.Wait()
	select {
	case err := <-first:
		t.Errorf("the other's call has ended, too: %v", err)
	default:
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// endless is a context that does not tell its deadline.
type endless struct{ context.Context }

func (endless) Deadline() (time.Time, bool) { return time.Time{}, false }

func TestAContextMayEndByADeadlineThatItDidNotSay(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	begun := time.Now()
	_, err := sharedClient(t).Create(endless{ctx}, chat("x", "nomyo_test", slow))
	if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took > atLatest {
		t.Errorf("%v after %v", err, took)
	}
}

func TestTheClientsTimeoutBoundsEveryCall(t *testing.T) {
	client := newClient(t, nomyo.WithKeyDir(held(t)), nomyo.WithTimeout(soon))
	begun := time.Now()
	err := client.WarmUp(context.Background())
	if took := time.Since(begun); !errors.Is(err, nomyo.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || took > atLatest {
		t.Errorf("%v after %v", err, took)
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

func TestADeadlinesCauseIsFound(t *testing.T) {
	client, why := sharedClient(t), errors.New("why")
	ctx, cancel := context.WithTimeoutCause(context.Background(), soon, why)
	defer cancel()
	for _, when := range []string{"during the call", "before the call"} {
		_, err := client.Create(ctx, chat("x", "nomyo_test", slow))
		if !errors.Is(err, why) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, nomyo.ErrTimeout) {
			t.Errorf("%s: %v", when, err)
		}
	}
}

func TestADeadlineEndsTheKeyGenerationOfAFirstCall(t *testing.T) {
	client, before := newClient(t), requests(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond) // it takes 0.7 s on average
	defer cancel()
	_, err := client.Create(ctx, chat("x"))
	if e := refused(t, err); !errors.Is(err, context.DeadlineExceeded) || e.Sent != nomyo.SentNo || requests(t) != before {
		t.Errorf("%v, sent: %v", err, e.Sent)
	}
}

func TestACallCancelledInFlightSaysThatThePromptMayHaveArrived(t *testing.T) {
	before := requests(t)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for requests(t) == before {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_, err := sharedClient(t).Create(ctx, chat("x", "nomyo_test", slow))
	e := refused(t, err)
	if !errors.Is(err, context.Canceled) || e.Sent != nomyo.SentMaybe || e.Attempts != 1 || len(e.PayloadID) != 36 ||
		!strings.Contains(e.Message, "the server may have received the request") {
		t.Errorf("%v: %+v", err, *e)
	}
}

func TestANilContextIsAnError(t *testing.T) {
	if err := sharedClient(t).WarmUp(nil); !errors.Is(err, nomyo.ErrArgument) { //nolint:staticcheck // which is the mistake
		t.Error(err)
	}
}

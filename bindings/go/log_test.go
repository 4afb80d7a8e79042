package nomyo_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func TestALoggerIsTold(t *testing.T) {
	plain := nomyo.WithBaseURL(environment(t, "NOMYO_TEST_PLAIN_BASE_URL"))
	for level, want := range map[slog.Level]bool{slog.LevelWarn: true, slog.LevelError: false, slog.LevelError + 1: false} {
		var said bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: level}))
		newClient(t, plain, nomyo.WithAllowHTTP(), nomyo.WithLogger(logger)).Close()
		if strings.Contains(said.String(), "level=WARN") != want {
			t.Errorf("at %v: %q", level, said.String())
		}
	}
	panicking := slog.New(panicHandler{})
	newClient(t, plain, nomyo.WithAllowHTTP(), nomyo.WithLogger(panicking)).Close()
}

type panicHandler struct{ slog.Handler }

func (panicHandler) Enabled(context.Context, slog.Level) bool { return true }

func (panicHandler) Handle(context.Context, slog.Record) error { panic("mine") }

// caller is the key of a context's value.
type caller struct{}

// recorder keeps records by the caller that their contexts name.
type recorder struct {
	mu      sync.Mutex
	records map[any][]slog.Record
}

func (*recorder) Enabled(context.Context, slog.Level) bool { return true }

func (r *recorder) WithAttrs([]slog.Attr) slog.Handler { return r }

func (r *recorder) WithGroup(string) slog.Handler { return r }

func (r *recorder) Handle(ctx context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records[ctx.Value(caller{})] = append(r.records[ctx.Value(caller{})], record)
	return nil
}

func TestALogRecordHasAttributesAndTheCallersContext(t *testing.T) {
	recorder := &recorder{records: map[any][]slog.Record{}}
	client := withKeys(t, newClient(t, nomyo.WithLogger(slog.New(recorder))))
	payloads := make([]string, 8)
	var group sync.WaitGroup
	for i := range payloads {
		group.Add(1)
		go func() {
			defer group.Done()
			ctx := context.WithValue(context.Background(), caller{}, i)
			answer, err := client.Create(ctx, chat("x", "nomyo_test", `{"delay_before_headers_ms":100}`))
			if err != nil {
				t.Error(err)
				return
			}
			payloads[i] = answer.PayloadID()
			answer.Close()
		}()
	}
	group.Wait()
	for i, payload := range payloads {
		ends := 0
		for _, record := range recorder.records[i] {
			if !strings.HasPrefix(record.Message, "POST ") {
				continue // the fetch of the server's key, which one caller makes for all
			}
			attributes := map[string]slog.Value{}
			record.Attrs(func(a slog.Attr) bool { attributes[a.Key] = a.Value; return true })
			if got := attributes["payload_id"].String(); got != payload {
				t.Errorf("caller %d, with %s, gets the record of %s", i, payload, got)
			}
			if attributes["attempt"].Kind() != slog.KindInt64 || strings.Contains(record.Message, "=") {
				t.Errorf("%s %v", record.Message, attributes)
			}
			if fmt.Sprint(attributes["status"]) == "200" && attributes["connection"].Kind() == slog.KindString {
				ends++
			}
		}
		if ends != 1 {
			t.Errorf("caller %d has %d records of an attempt's end", i, ends)
		}
	}
	if stray := recorder.records[nil]; len(stray) > 0 && strings.HasPrefix(stray[len(stray)-1].Message, "POST ") {
		t.Errorf("without the caller's context: %v", stray)
	}
}

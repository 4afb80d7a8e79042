package nomyo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// environment is a variable that tests/with_endpoint.sh sets.
func environment(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: run this under tests/with_endpoint.sh", name)
	}
	return value
}

func newClient(t *testing.T, opts ...nomyo.Option) *nomyo.Client {
	t.Helper()
	base := []nomyo.Option{
		nomyo.WithBaseURL(environment(t, "NOMYO_TEST_BASE_URL")),
		nomyo.WithCAFile(environment(t, "NOMYO_TEST_CA_FILE")),
	}
	client, err := nomyo.NewClient(append(base, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

var shared struct {
	sync.Once
	client *nomyo.Client
}

// sharedClient spares a test the generation of a key pair. It repeats nothing.
func sharedClient(t *testing.T) *nomyo.Client {
	t.Helper()
	shared.Do(func() {
		client, err := nomyo.NewClient(
			nomyo.WithBaseURL(environment(t, "NOMYO_TEST_BASE_URL")),
			nomyo.WithCAFile(environment(t, "NOMYO_TEST_CA_FILE")),
			nomyo.WithMaxRetries(0),
		)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.WarmUp(); err != nil {
			t.Fatal(err)
		}
		shared.client = client
	})
	if shared.client == nil {
		t.Fatal("no client")
	}
	return shared.client
}

// chat is a request that says text, with other members as name, JSON, name, JSON...
func chat(text string, members ...string) nomyo.ChatRequest {
	extra := map[string]json.RawMessage{}
	for i := 0; i+1 < len(members); i += 2 {
		extra[members[i]] = json.RawMessage(members[i+1])
	}
	return nomyo.ChatRequest{Model: "echo", Messages: []nomyo.Message{{Role: "user", Content: text}}, Extra: extra}
}

// ask expects an answer.
func ask(t *testing.T, request nomyo.ChatRequest) *nomyo.Response {
	t.Helper()
	answer, err := sharedClient(t).Create(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Close() })
	return answer
}

// refused expects an *Error.
func refused(t *testing.T, err error) *nomyo.Error {
	t.Helper()
	var e *nomyo.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	return e
}

func wantText(t *testing.T, what, want string) func(string, error) {
	return func(got string, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", what, got, err, want)
		}
	}
}

func wantError(t *testing.T, what string, want error) func(string, error) {
	return func(got string, err error) {
		t.Helper()
		if !errors.Is(err, want) || got != "" {
			t.Errorf("%s = %q, %v; want %v", what, got, err, want)
		}
	}
}

func TestVersion(t *testing.T) {
	if v := nomyo.Version(); !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(v) {
		t.Errorf("Version() = %q", v)
	}
}

func TestChat(t *testing.T) {
	said := "Grüße <&> \x00 𝄞"
	answer := ask(t, chat(said, "n", "2", "nomyo_test", `{"reasoning":"hm"}`))
	wantText(t, "Content(0)", said)(answer.Content(0))
	wantText(t, "Content(1)", said)(answer.Content(1))
	wantText(t, "Reasoning(0)", "hm")(answer.Reasoning(0))
	wantText(t, "FinishReason(0)", "stop")(answer.FinishReason(0))
	for _, choice := range []int{2, -1} {
		wantError(t, fmt.Sprintf("Content(%d)", choice), nomyo.ErrAbsent)(answer.Content(choice))
	}
	if answer.Choices() != 2 {
		t.Errorf("Choices() = %d", answer.Choices())
	}
	if calls, err := answer.ToolCalls(0); !errors.Is(err, nomyo.ErrAbsent) || calls != nil {
		t.Errorf("ToolCalls(0) = %s, %v", calls, err)
	}
	if tokens, err := answer.Pointer("/usage/prompt_tokens"); err != nil || string(tokens) != "4" {
		t.Errorf("Pointer = %s, %v", tokens, err)
	}
	if _, err := answer.Pointer("/usage/prompt_tokens\x00"); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("Pointer with a NUL: %v", err)
	}

	whole, err := answer.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var decoded struct {
		Metadata struct {
			PayloadID string `json:"payload_id"`
		} `json:"_metadata"`
	}
	if err := json.Unmarshal(whole, &decoded); err != nil {
		t.Fatal(err)
	}
	if id := answer.PayloadID(); len(id) != 36 || id != decoded.Metadata.PayloadID {
		t.Errorf("PayloadID() = %q, in the answer %q", id, decoded.Metadata.PayloadID)
	}
}

func TestTools(t *testing.T) {
	answer := ask(t, chat("Weather?", "tools", `[{"type":"function","function":{"name":"get_weather"}}]`))
	wantError(t, "Content(0)", nomyo.ErrAbsent)(answer.Content(0))
	wantText(t, "FinishReason(0)", "tool_calls")(answer.FinishReason(0))
	raw, err := answer.ToolCalls(0)
	if err != nil {
		t.Fatal(err)
	}
	var calls []struct{ Function struct{ Name string } }
	if err := json.Unmarshal(raw, &calls); err != nil || len(calls) != 1 || calls[0].Function.Name != "get_weather" {
		t.Errorf("ToolCalls(0) = %s, %v", raw, err)
	}
}

func TestSecurityTier(t *testing.T) {
	request := chat("x")
	request.SecurityTier = "high"
	if tier, err := ask(t, request).Pointer("/_metadata/security_tier"); err != nil || string(tier) != `"high"` {
		t.Errorf("tier = %s, %v", tier, err)
	}
	request.SecurityTier = "maximum" // the endpoint has no TPM
	if _, err := sharedClient(t).Create(context.Background(), request); !errors.Is(err, nomyo.ErrUnavailable) {
		t.Errorf("maximum: %v", err)
	}
	request.SecurityTier = "High"
	if _, err := sharedClient(t).Create(context.Background(), request); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("High: %v", err)
	}
	request = chat("x", "nomyo_test", `{"tier":"standard"}`)
	request.SecurityTier = "high"
	if _, err := sharedClient(t).Create(context.Background(), request); !errors.Is(err, nomyo.ErrSecurity) {
		t.Errorf("an answer at a lower tier: %v", err)
	}
}

func TestStatuses(t *testing.T) {
	for status, want := range map[int]nomyo.Status{
		400: nomyo.ErrBadRequest, 401: nomyo.ErrAuthentication, 403: nomyo.ErrForbidden, 404: nomyo.ErrNotFound,
		418: nomyo.ErrHTTP, 429: nomyo.ErrRateLimit, 500: nomyo.ErrServer, 503: nomyo.ErrUnavailable,
	} {
		fault := fmt.Sprintf(`{"status":%d,"body":"a\u0000b"}`, status)
		_, err := sharedClient(t).Create(context.Background(), chat("x", "nomyo_test", fault))
		if !errors.Is(err, want) {
			t.Errorf("%d: %v is not %v", status, err, want)
		}
		if errors.Is(err, nomyo.ErrConnection) {
			t.Errorf("%d: %v is anything", status, err)
		}
		e := refused(t, err)
		if e.Status != want || e.HTTPStatus != status || e.Attempts < 1 || e.Message == "" {
			t.Errorf("%d: %+v", status, e)
		}
		if string(e.Details) != "a\x00b" || e.RetryAfter >= 0 {
			t.Errorf("%d: details %q, retry after %v", status, e.Details, e.RetryAfter)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	fault := `{"status":429,"headers":{"Retry-After":"7"}}`
	_, err := sharedClient(t).Create(context.Background(), chat("x", "nomyo_test", fault))
	if e := refused(t, err); e.RetryAfter != 7*time.Second || !e.Retryable {
		t.Errorf("%+v", e)
	}
}

func TestContextDeadline(t *testing.T) {
	client := sharedClient(t)
	slow := chat("x", "nomyo_test", `{"delay_before_headers_ms":60000}`)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := client.Create(ctx, slow)
	if !errors.Is(err, nomyo.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("not a timeout: %v", err)
	}
	<-ctx.Done() // the library's milliseconds may have ended a little sooner
	if _, err := client.Create(ctx, chat("x")); err != context.DeadlineExceeded {
		t.Errorf("after the deadline: %v", err)
	}
}

func TestContextCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := sharedClient(t).Create(ctx, chat("x")); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

func TestClientTimeoutHoldsUnderALaterDeadline(t *testing.T) {
	client := newClient(t, nomyo.WithTimeout(300*time.Millisecond), nomyo.WithConnectTimeout(5*time.Second))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := client.Create(ctx, chat("x", "nomyo_test", `{"delay_before_headers_ms":60000}`))
	if !errors.Is(err, nomyo.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestBadArguments(t *testing.T) {
	for name, option := range map[string]nomyo.Option{
		"no URL":           nomyo.WithBaseURL("nowhere"),
		"URL with a NUL":   nomyo.WithBaseURL("https://api.nomyo.ai\x00.example"),
		"key with newline": nomyo.WithAPIKey("key\n"),
		"no timeout":       nomyo.WithTimeout(0),
		"eleven retries":   nomyo.WithMaxRetries(11),
		"negative timeout": nomyo.WithConnectTimeout(-time.Second),
	} {
		if client, err := nomyo.NewClient(option); !errors.Is(err, nomyo.ErrArgument) || client != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := nomyo.NewClient(nomyo.WithCAFile("/does/not/exist")); !errors.Is(err, nomyo.ErrIO) {
		t.Errorf("no CA file: %v", err)
	}
	client := sharedClient(t)
	for _, body := range []string{"", "[]", "{", `{"stream":true}`, `{"base_url":"x"}`} {
		if _, err := client.CreateJSON(context.Background(), []byte(body)); !errors.Is(err, nomyo.ErrArgument) {
			t.Errorf("%q: %v", body, err)
		}
	}
	for _, request := range []nomyo.ChatRequest{chat("x", "model", `"y"`), chat("x", "n", "{")} {
		if _, err := client.Create(context.Background(), request); !errors.Is(err, nomyo.ErrArgument) {
			t.Errorf("%+v: %v", request, err)
		}
	}
}

func TestHTTPNeedsConsent(t *testing.T) {
	plain := nomyo.WithBaseURL(environment(t, "NOMYO_TEST_PLAIN_BASE_URL"))
	if _, err := nomyo.NewClient(plain); !errors.Is(err, nomyo.ErrSecurity) {
		t.Errorf("without consent: %v", err)
	}
	client, err := nomyo.NewClient(plain, nomyo.WithAllowHTTP())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.WarmUp(); err != nil {
		t.Error(err)
	}
}

func TestResponseOutlivesItsClient(t *testing.T) {
	client := newClient(t)
	answer, err := client.CreateJSON(context.Background(), []byte(`{"messages":[{"role":"user","content":"still"}]}`),
		nomyo.WithSecurityTier("standard"), nomyo.WithCallAPIKey("other"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	client.Close()
	wantText(t, "Content(0)", "still")(answer.Content(0))
}

func TestUseAfterClose(t *testing.T) {
	answer := ask(t, chat("x"))
	id := answer.PayloadID()
	for range 2 {
		if err := answer.Close(); err != nil {
			t.Error(err)
		}
	}
	wantError(t, "Content(0)", nomyo.ErrClosed)(answer.Content(0))
	if _, err := answer.JSON(); !errors.Is(err, nomyo.ErrClosed) {
		t.Errorf("JSON: %v", err)
	}
	if _, err := answer.Pointer(""); !errors.Is(err, nomyo.ErrClosed) {
		t.Errorf("Pointer: %v", err)
	}
	if answer.PayloadID() != id || answer.Choices() != 1 {
		t.Error("PayloadID or Choices went away")
	}

	client := newClient(t)
	for range 2 {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := client.Create(context.Background(), chat("x")); !errors.Is(err, nomyo.ErrClosed) {
		t.Errorf("Create: %v", err)
	}
	if err := client.WarmUp(); !errors.Is(err, nomyo.ErrClosed) {
		t.Errorf("WarmUp: %v", err)
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
				wantText(t, "Content(0)", said)(answer.Content(0)) // left to the finalizer
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
				text, err := answer.Content(0)
				if errors.Is(err, nomyo.ErrClosed) {
					return
				}
				if err != nil || text != "x" {
					t.Errorf("%q, %v", text, err)
				}
			}
		}()
	}
	time.Sleep(20 * time.Millisecond)
	answer.Close()
	group.Wait()
}

func TestCloseWaitsForTheCallUnderWay(t *testing.T) {
	client := newClient(t)
	if err := client.WarmUp(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		answer, err := client.Create(context.Background(), chat("x", "nomyo_test", `{"delay_before_headers_ms":1500}`))
		if err == nil {
			answer.Close()
		}
		done <- err
	}()
	time.Sleep(500 * time.Millisecond) // the call is under way
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

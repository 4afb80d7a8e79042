package nomyo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func TestEveryHTTPStatusHasItsError(t *testing.T) {
	for status, want := range map[int]nomyo.Status{
		400: nomyo.ErrBadRequest, 401: nomyo.ErrAuthentication, 403: nomyo.ErrForbidden, 404: nomyo.ErrNotFound,
		418: nomyo.ErrHTTP, 429: nomyo.ErrRateLimit, 500: nomyo.ErrServer, 503: nomyo.ErrUnavailable,
	} {
		fault := fmt.Sprintf(`{"status":%d,"body":"a\u0000b"}`, status)
		_, err := sharedClient(t).Create(context.Background(), chat("x", "nomyo_test", fault))
		if !errors.Is(err, want) || errors.Is(err, nomyo.ErrConnection) {
			t.Errorf("%d: %v is not %v alone", status, err, want)
		}
		e := refused(t, err)
		if e.Status != want || e.HTTPStatus != status || e.Attempts < 1 || e.Message == "" {
			t.Errorf("%d: %+v", status, e)
		}
		if string(e.Details) != "a\x00b" {
			t.Errorf("%d: details %q", status, e.Details)
		}
		var found nomyo.Status
		if !errors.As(err, &found) || found != want {
			t.Errorf("%d: errors.As finds %v", status, found)
		}
		if printed := fmt.Sprintf("%v %+v %s", err, e, e); strings.Contains(printed, "\x00") {
			t.Errorf("%d: it prints the server's words: %q", status, printed)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	fault := `{"status":429,"headers":{"Retry-After":"180"}}`
	_, err := sharedClient(t).Create(context.Background(), chat("x", "nomyo_test", fault))
	if wait, known := refused(t, err).RetryAfter(); wait != 3*time.Minute || !known {
		t.Errorf("%v, %v", wait, known)
	}
	_, err = sharedClient(t).Create(context.Background(), chat("x", "nomyo_test", `{"status":400}`))
	if wait, known := refused(t, err).RetryAfter(); wait != 0 || known {
		t.Errorf("not said: %v, %v", wait, known)
	}
	if refused(t, err).Retryable {
		t.Error("400 is retryable")
	}
}

func TestBadArguments(t *testing.T) {
	for name, option := range map[string]nomyo.Option{
		"no URL":             nomyo.WithBaseURL("nowhere"),
		"URL with a NUL":     nomyo.WithBaseURL("https://api.nomyo.ai\x00.example"),
		"key with newline":   nomyo.WithAPIKey("key\n"),
		"no timeout":         nomyo.WithTimeout(0),
		"negative timeout":   nomyo.WithConnectTimeout(-time.Second),
		"negative rotation":  nomyo.WithKeyRotation(-1),
		"negative TTL":       nomyo.WithServerKeyTTL(-1),
		"unknown policy":     nomyo.WithMemoryPolicy(7),
		"too many retries":   nomyo.WithMaxRetries(11),
		"no burst":           nomyo.WithRateLimit(1, 0),
		"no response":        nomyo.WithResponseLimit(0),
		"no calls":           nomyo.WithMaxConcurrency(0),
		"no proxy":           nomyo.WithProxy("ftp://example.org"),
		"no pin":             nomyo.WithServerKeyPin("abc"),
		"password, no place": nomyo.WithKeyPassword("a long password"),
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
	for _, request := range []nomyo.ChatRequest{
		chat("x", "model", `"y"`), chat("x", "n", "{"), {Temperature: nomyo.Ptr(math.NaN())},
		{MaxTokens: -1}, {Temperature: nomyo.Ptr(1.0), Extra: map[string]json.RawMessage{"temperature": json.RawMessage("1")}},
		{Messages: []nomyo.Message{{Content: "x", Parts: []nomyo.Part{nomyo.TextPart("y")}}}},
		{Messages: []nomyo.Message{{Extra: map[string]json.RawMessage{"role": json.RawMessage("1")}}}},
	} {
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
	if _, _, err := newClient(t, plain, nomyo.WithAllowHTTP()).ServerKey(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestRetries(t *testing.T) {
	request := chat("x", "nomyo_test", `{"status":503,"times":1,"headers":{"Retry-After-Ms":"1"}}`)
	client := withKeys(t, newClient(t, nomyo.WithMaxRetries(1)))
	answer, err := client.Create(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Close()
	_, err = sharedClient(t).Create(context.Background(), request) // which does not
	if e := refused(t, err); e.Status != nomyo.ErrUnavailable || e.Attempts != 1 || !e.Retryable {
		t.Errorf("%+v", e)
	}
}

func TestLimits(t *testing.T) {
	small := withKeys(t, newClient(t, nomyo.WithResponseLimit(10_000)))
	_, err := small.Create(context.Background(), chat("x", "nomyo_test", `{"oversize":20000}`))
	if !errors.Is(err, nomyo.ErrProtocol) {
		t.Errorf("a large answer: %v", err)
	}
	rare := withKeys(t, newClient(t, nomyo.WithRateLimit(0.001, 1), nomyo.WithTimeout(5*time.Second)))
	if _, err := rare.Create(context.Background(), chat("x")); !errors.Is(err, nomyo.ErrTimeout) {
		t.Errorf("the key fetch took the only turn: %v", err)
	}
}

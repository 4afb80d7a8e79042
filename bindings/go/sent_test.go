package nomyo_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func TestAnErrorSaysWhetherThePromptWasSent(t *testing.T) {
	served := sharedClient(t)
	unanswered := withKeys(t, newClient(t, nomyo.WithBaseURL(silent(t)), nomyo.WithMaxRetries(0)))
	retrying := withKeys(t, newClient(t, nomyo.WithMaxRetries(1)))
	for name, c := range map[string]struct {
		client   *nomyo.Client
		request  nomyo.ChatRequest
		sent     nomyo.Sent
		attempts int
	}{
		"refused here":                {served, chat("x", "stream", "true"), nomyo.SentNo, 0},
		"refused by the server":       {served, chat("x", "nomyo_test", `{"status":400}`), nomyo.SentYes, 1},
		"answered by something else":  {served, chat("x", "nomyo_test", `{"malformed":"not_json"}`), nomyo.SentYes, 1},
		"not answered":                {served, chat("x", "nomyo_test", `{"close":true}`), nomyo.SentMaybe, 1},
		"not answered in time":        {served, chat("x", "nomyo_test", slow), nomyo.SentMaybe, 1},
		"answered, then not answered": {retrying, chat("x", "nomyo_test", `{"close":true}`), nomyo.SentMaybe, 2},
		"answered twice":              {retrying, chat("x", "nomyo_test", `{"status":429,"headers":{"Retry-After-Ms":"1"}}`), nomyo.SentYes, 2},
		"no TLS":                      {unanswered, chat("x"), nomyo.SentNo, -1},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		_, err := c.client.Create(ctx, c.request)
		cancel()
		e := refused(t, err)
		if e.Sent != c.sent || c.attempts >= 0 && e.Attempts != c.attempts || (e.PayloadID != "") != (c.sent != nomyo.SentNo) {
			t.Errorf("%s: %+v", name, e)
		}
		if e.PayloadID != "" && len(e.PayloadID) != 36 {
			t.Errorf("%s: no id: %q", name, e.PayloadID)
		}
		if says := strings.Contains(e.Message, "nothing was sent"); says && e.Sent != nomyo.SentNo {
			t.Errorf("%s: sent %v, and %q", name, e.Sent, e.Message)
		}
	}
}

func TestSentHasNames(t *testing.T) {
	for sent, name := range map[nomyo.Sent]string{
		nomyo.SentNo: "no", nomyo.SentMaybe: "maybe", nomyo.SentYes: "yes", nomyo.Sent(17): "maybe",
	} {
		if got := fmt.Sprint(sent); got != name {
			t.Errorf("%d is %q", int32(sent), got)
		}
	}
}

func TestAnAnswerSaysHowOftenItsRequestWasSent(t *testing.T) {
	if n := ask(t, chat("x")).Attempts(); n != 1 {
		t.Errorf("%d attempts", n)
	}
	client := withKeys(t, newClient(t, nomyo.WithMaxRetries(2)))
	twice := `{"status":503,"times":1,"headers":{"Retry-After-Ms":"1"}}`
	answer, err := client.Create(context.Background(), chat("x", "nomyo_test", twice))
	if err != nil {
		t.Fatal(err)
	}
	answer.Close()
	if n := answer.Attempts(); n != 2 {
		t.Errorf("%d attempts, one of them refused", n)
	}
}

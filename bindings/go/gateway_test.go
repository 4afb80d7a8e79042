package nomyo_test

import (
	"context"
	"errors"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func TestAGatewaysHeaderGoesOutAndItsRequestIDComesBack(t *testing.T) {
	c := newClient(t, nomyo.WithHeader("X-Request-ID", "r-7"), nomyo.WithMaxRetries(0))
	answer, err := c.CreateJSON(context.Background(), []byte(`{"model":"m","messages":[{"role":"user","content":"x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	answer.Close()
	if id := answer.RequestID(); id != "r-7" {
		t.Errorf("RequestID() = %q", id)
	}
	if id, kind := answer.Header("x-REQUEST-id"), answer.Headers()["content-type"]; id != "r-7" || kind != "application/json" {
		t.Errorf("headers: %q", answer.Headers())
	}
	_, err = c.CreateJSON(context.Background(), []byte(`{"model":"m","messages":[],"nomyo_test":{"status":400}}`))
	var failed *nomyo.Error
	if !errors.As(err, &failed) || failed.RequestID != "r-7" {
		t.Errorf("%v", err)
	}
	if failed.Header("X-Request-Id") != "r-7" || failed.Headers()["x-request-id"] != "r-7" || failed.Header("absent") != "" {
		t.Errorf("headers: %q", failed.Headers())
	}
	for _, name := range []string{"X-Payload-ID", "Authorization", "a b", "a\x00b"} {
		if _, err := nomyo.NewClient(nomyo.WithHeader(name, "v")); !errors.Is(err, nomyo.ErrArgument) {
			t.Errorf("the header %q: %v", name, err)
		}
	}
}

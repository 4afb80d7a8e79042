package nomyo_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func TestAnAnswerIsReadInEveryWay(t *testing.T) {
	said := "Grüße <&> \x00 𝄞"
	answer := ask(t, chat(said, "n", "2", "nomyo_test", `{"reasoning":"hm"}`))
	if got := answer.Content(); got != said {
		t.Errorf("Content() = %q", got)
	}
	choices, err := answer.Choices()
	if len(choices) != 2 || err != nil {
		t.Fatalf("%d choices, %v", len(choices), err)
	}
	for _, c := range choices {
		if c.Content != said || c.Reasoning != "hm" || c.FinishReason != "stop" || c.ToolCalls != nil {
			t.Errorf("%+v", c)
		}
	}
	if tokens := answer.Pointer("/usage/prompt_tokens"); string(tokens) != "4" {
		t.Errorf("Pointer = %s", tokens)
	}
	for _, nothing := range []string{"/nothing", "no pointer", "/usage\x00", "/choices/2"} {
		if value := answer.Pointer(nothing); value != nil {
			t.Errorf("%q = %s", nothing, value)
		}
	}
	var whole struct {
		Metadata struct {
			PayloadID string `json:"payload_id"`
		} `json:"_metadata"`
	}
	if err := json.Unmarshal(answer.JSON(), &whole); err != nil {
		t.Fatal(err)
	}
	if id := answer.PayloadID(); len(id) != 36 || id != whole.Metadata.PayloadID {
		t.Errorf("PayloadID() = %q, in the answer %q", id, whole.Metadata.PayloadID)
	}
}

func TestAViewIsTheAnswer(t *testing.T) {
	answer := ask(t, chat("seen"))
	problem := errors.New("mine")
	err := answer.ViewContent(func(text []byte) error {
		if string(text) != "seen" {
			t.Errorf("%q", text)
		}
		return problem
	})
	if err != problem {
		t.Error(err)
	}
	whole := answer.JSON()
	err = answer.ViewJSON(func(json []byte) error {
		if string(json) != string(whole) {
			t.Errorf("%q", json)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSecurityTier(t *testing.T) {
	client := sharedClient(t)
	if tier := ask(t, chat("x"), nomyo.WithSecurityTier("high")).Pointer("/_metadata/security_tier"); string(tier) != `"high"` {
		t.Errorf("tier = %s", tier)
	}
	for tier, want := range map[string]error{"High": nomyo.ErrArgument, "high\x00": nomyo.ErrArgument} {
		if _, err := client.Create(context.Background(), chat("x"), nomyo.WithSecurityTier(tier)); !errors.Is(err, want) {
			t.Errorf("%q: %v", tier, err)
		}
	}
	lower := chat("x", "nomyo_test", `{"tier":"standard"}`)
	if _, err := client.Create(context.Background(), lower, nomyo.WithSecurityTier("high")); !errors.Is(err, nomyo.ErrSecurity) {
		t.Errorf("an answer at a lower tier: %v", err)
	}
}

func TestACallsOwnAPIKey(t *testing.T) {
	client := newClient(t, nomyo.WithAPIKey(""))
	withKeys(t, client)
	if _, err := client.Create(context.Background(), chat("x")); !errors.Is(err, nomyo.ErrAuthentication) {
		t.Errorf("without a key: %v", err)
	}
	key := environment(t, "NOMYO_TEST_API_KEY")
	answer, err := client.CreateJSON(context.Background(), []byte(`{"messages":[{"role":"user","content":"x"}]}`),
		nomyo.WithSecurityTier("standard"), nomyo.WithCallAPIKey([]byte(key)))
	if err != nil {
		t.Fatal(err)
	}
	answer.Close()
}

func TestSealAndOpenWithoutASocket(t *testing.T) {
	client := withKeys(t, newClient(t))
	body := []byte(`{"messages":[]}`)
	sealed, err := client.Seal(context.Background(), fixture(t, "keys/server_public.pem"), body, nomyo.WithSecurityTier("high"))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(sealed.Body) || sealed.Headers["X-Security-Tier"] != "high" || len(sealed.Headers["X-Payload-ID"]) != 36 {
		t.Errorf("%s %v", sealed.Body, sealed.Headers)
	}
	package2048 := fixture(t, "lenient/len_13_rsa2048_client.bin")
	sealed, err = client.Seal(context.Background(), fixture(t, "keys/server_public.pem"), body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Open(sealed, package2048)
	if err != nil {
		t.Fatal(err)
	}
	if answer.PayloadID() != sealed.Headers["X-Payload-ID"] || answer.Attempts() != 0 || len(answer.JSON()) == 0 {
		t.Errorf("%q %d %s", answer.PayloadID(), answer.Attempts(), answer.JSON())
	}
	if _, err := client.Open(sealed, package2048[1:]); !errors.Is(err, nomyo.ErrProtocol) {
		t.Errorf("half a package: %v", err)
	}
	if _, err := client.Seal(context.Background(), []byte("no key"), body); !errors.Is(err, nomyo.ErrProtocol) {
		t.Errorf("no key: %v", err)
	}
	sealed.Close()
	if _, err := client.Open(sealed, package2048); err != nomyo.ErrClosed {
		t.Errorf("closed: %v", err)
	}
}

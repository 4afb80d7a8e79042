package nomyo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// A scenario of tests/scenarios. What a member means is said there.
type scenario struct {
	Name    string
	Config  json.RawMessage // a scenarioConfig
	Server  json.RawMessage
	Request json.RawMessage
	Raw     *string
	Options struct {
		SecurityTier *string `json:"security_tier"`
		APIKey       *string `json:"api_key"`
		TimeoutMs    *int    `json:"timeout_ms"`
		Cancelled    bool
	}
	Expect struct {
		Status       string
		HTTPStatus   *int     `json:"http_status"`
		Attempts     *int     `json:"attempts"`
		Retryable    *bool    `json:"retryable"`
		RetryAfterMs *int64   `json:"retry_after_ms"`
		MessageHas   []string `json:"message_has"`
		DetailsHas   *string  `json:"details_has"`

		Choices      *int
		Content      json.RawMessage // null is an expectation, too
		Reasoning    json.RawMessage
		FinishReason json.RawMessage `json:"finish_reason"`
		ToolCallsHas *string         `json:"tool_calls_has"`
		Pointers     map[string]json.RawMessage
		Attestation  *string
	}
}

type scenarioConfig struct {
	APIKey           *string `json:"api_key"`
	TimeoutMs        *int    `json:"timeout_ms"`
	ConnectTimeoutMs *int    `json:"connect_timeout_ms"`
	BaseURL          *string `json:"base_url"`
	AllowHTTP        bool    `json:"allow_http"`
	MaxRetries       *uint32 `json:"max_retries"`
	ResponseLimit    *uint64 `json:"response_limit"`
	Proxy            *string `json:"proxy"`
	Attestation      string
	ServerKeyPin     []string `json:"server_key_pin"`
	ServerKeyTTLMs   *int     `json:"server_key_ttl_ms"`
}

// TestScenarios runs the table that every language runs.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("../../tests/scenarios/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	d := driver{T: t, clients: map[string]*nomyo.Client{}}
	passed, failed := 0, 0
	for _, file := range files {
		for _, raw := range read[[]json.RawMessage](t, file) {
			name, err := d.run(raw)
			if err == nil {
				passed++
				fmt.Printf("scenario %s ok\n", name)
			} else {
				failed++
				fmt.Printf("scenario %s FAILED: %v\n", name, err)
			}
		}
	}
	fmt.Printf("scenarios-go: %d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		t.Fail()
	}
}

func read[T any](t *testing.T, file string) (value T) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &value)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return value
}

// strict decodes, and refuses a member that it does not know: a misspelt expectation must not pass.
func strict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

type driver struct {
	*testing.T
	clients map[string]*nomyo.Client
}

func (d *driver) run(raw []byte) (name string, err error) {
	var s scenario
	err = strict(raw, &s)
	if err != nil || s.Name == "" || s.Expect.Status == "" || (s.Request == nil) == (s.Raw == nil) {
		return s.Name, fmt.Errorf("not a scenario: %v: %s", err, raw)
	}
	if s.Server != nil {
		control(d, "faults", string(s.Server))
		defer control(d, "faults", "{}")
	}
	answer, err := d.ask(&s)
	if answer != nil {
		defer answer.Close()
	}
	var e *nomyo.Error
	status := "NOMYO_OK"
	if errors.As(err, &e) {
		status = e.Status.Error()
	}
	switch {
	case status != s.Expect.Status || (answer == nil) != (e != nil):
		return s.Name, fmt.Errorf("%s, %v", status, err)
	case e != nil:
		return s.Name, s.judgeError(e)
	default:
		return s.Name, s.judgeAnswer(answer)
	}
}

func (d *driver) ask(s *scenario) (*nomyo.Response, error) {
	client, err := d.client(s.Config)
	if err != nil {
		return nil, err
	}
	body := []byte{}
	if s.Raw != nil {
		body = []byte(*s.Raw)
	} else {
		var compact bytes.Buffer
		if err := json.Compact(&compact, s.Request); err != nil {
			return nil, err
		}
		body = compact.Bytes()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.Options.Cancelled {
		cancel()
	}
	var opts []nomyo.CallOption
	if s.Options.TimeoutMs != nil {
		opts = append(opts, nomyo.WithCallTimeout(time.Duration(*s.Options.TimeoutMs)*time.Millisecond))
	}
	if s.Options.SecurityTier != nil {
		opts = append(opts, nomyo.WithSecurityTier(*s.Options.SecurityTier))
	}
	if s.Options.APIKey != nil {
		opts = append(opts, nomyo.WithCallAPIKey(*s.Options.APIKey))
	}
	return client.CreateJSON(ctx, body, opts...)
}

// client is one for each configuration; all have the same key pair.
func (d *driver) client(raw json.RawMessage) (*nomyo.Client, error) {
	if client := d.clients[string(raw)]; client != nil {
		return client, nil
	}
	var c scenarioConfig
	if raw != nil {
		if err := strict(raw, &c); err != nil {
			return nil, err
		}
	}
	client, err := nomyo.NewClient(options(d, c.options(d)...)...)
	if err != nil {
		return nil, err
	}
	d.Cleanup(func() { client.Close() })
	d.clients[string(raw)] = client
	return client, client.LoadKeys(privateFixture(d, "client_private.pem"), "", nil)
}

func (c *scenarioConfig) options(d *driver) (opts []nomyo.Option) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	if c.APIKey != nil {
		opts = append(opts, nomyo.WithAPIKey(*c.APIKey))
	}
	if c.TimeoutMs != nil {
		opts = append(opts, nomyo.WithTimeout(ms(*c.TimeoutMs)))
	}
	if c.ConnectTimeoutMs != nil {
		opts = append(opts, nomyo.WithConnectTimeout(ms(*c.ConnectTimeoutMs)))
	}
	if c.MaxRetries != nil {
		opts = append(opts, nomyo.WithMaxRetries(*c.MaxRetries))
	}
	if c.ResponseLimit != nil {
		opts = append(opts, nomyo.WithResponseLimit(*c.ResponseLimit))
	}
	if c.Proxy != nil {
		opts = append(opts, nomyo.WithProxy(*c.Proxy))
	}
	if c.BaseURL != nil {
		opts = append(opts, nomyo.WithBaseURL(d.expand(*c.BaseURL)))
	}
	if c.AllowHTTP {
		opts = append(opts, nomyo.WithAllowHTTP())
	}
	if level, known := levels[c.Attestation]; known {
		opts = append(opts, nomyo.WithAttestation(nomyo.AttestationPolicy{Require: level}))
	} else if c.Attestation != "" {
		d.Errorf("no level %q", c.Attestation)
	}
	for _, pin := range c.ServerKeyPin {
		opts = append(opts, nomyo.WithServerKeyPin(d.expand(pin)))
	}
	if c.ServerKeyTTLMs != nil {
		opts = append(opts, nomyo.WithServerKeyTTL(ms(*c.ServerKeyTTLMs)))
	}
	return opts
}

var levels = map[string]nomyo.AttestationLevel{
	"absent": nomyo.AttestationAbsent, "unavailable": nomyo.AttestationUnavailable, "invalid": nomyo.AttestationInvalid,
	"consistent": nomyo.AttestationConsistent, "baseline": nomyo.AttestationBaseline,
}

func (d *driver) expand(text string) string {
	return strings.NewReplacer("$PLAIN", environment(d, "NOMYO_TEST_PLAIN_BASE_URL"),
		"$FINGERPRINT", environment(d, "NOMYO_TEST_KEY_FINGERPRINT")).Replace(text)
}

func (s *scenario) judgeError(e *nomyo.Error) error {
	x, retryAfter := &s.Expect, int64(-1)
	if e.RetryAfter >= 0 {
		retryAfter = e.RetryAfter.Milliseconds()
	}
	switch {
	case x.HTTPStatus != nil && *x.HTTPStatus != e.HTTPStatus,
		x.Attempts != nil && *x.Attempts != e.Attempts,
		x.Retryable != nil && *x.Retryable != e.Retryable,
		x.RetryAfterMs != nil && *x.RetryAfterMs != retryAfter,
		x.DetailsHas != nil && !strings.Contains(string(e.Details), *x.DetailsHas):
		return fmt.Errorf("%+v", e)
	}
	for _, part := range x.MessageHas {
		if !strings.Contains(e.Message, part) {
			return fmt.Errorf("no %q in %q", part, e.Message)
		}
	}
	return nil
}

func (s *scenario) judgeAnswer(answer *nomyo.Response) error {
	x, choices := &s.Expect, answer.Choices()
	if x.Choices != nil && *x.Choices != len(choices) {
		return fmt.Errorf("%d choices", len(choices))
	}
	if verdict := answer.Attestation(); x.Attestation != nil && *x.Attestation != strings.ToLower(verdict.Level.String()) {
		return fmt.Errorf("attestation: %+v", verdict)
	}
	first := nomyo.Choice{}
	if len(choices) > 0 {
		first = choices[0]
	}
	if first.Content != answer.Content() {
		return fmt.Errorf("two contents: %q and %q", first.Content, answer.Content())
	}
	message := "/choices/0/message"
	for pointer, text := range map[string]struct {
		want json.RawMessage
		got  string
	}{
		message + "/content":           {x.Content, first.Content},
		message + "/reasoning_content": {x.Reasoning, first.Reasoning},
		"/choices/0/finish_reason":     {x.FinishReason, first.FinishReason},
	} {
		// Go has "" for what is absent; whether it is absent is seen in the JSON.
		var want *string
		if err := json.Unmarshal(or(text.want, `null`), &want); err != nil {
			return err
		}
		there := bytes.HasPrefix(answer.Pointer(pointer), []byte(`"`))
		if text.want != nil && (there != (want != nil) || there && *want != text.got || !there && text.got != "") {
			return fmt.Errorf("%s: %q, not %s", pointer, text.got, text.want)
		}
	}
	if x.ToolCallsHas != nil && !strings.Contains(string(first.ToolCalls), *x.ToolCallsHas) {
		return fmt.Errorf("tool calls: %s", first.ToolCalls)
	}
	for pointer, wanted := range x.Pointers {
		var got, want any
		if err := errors.Join(json.Unmarshal(or(answer.Pointer(pointer), `null`), &got), json.Unmarshal(wanted, &want)); err != nil {
			return err
		}
		if !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%s: %v, not %v", pointer, got, want)
		}
	}
	return nil
}

// or is instead, when there is nothing.
func or(value json.RawMessage, instead string) json.RawMessage {
	if value == nil {
		return json.RawMessage(instead)
	}
	return value
}

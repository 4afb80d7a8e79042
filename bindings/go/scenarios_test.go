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
	Name   string
	Config json.RawMessage // a scenarioConfig
	Keys   *struct {
		Private, Public, Password string
		Reload                    *string
	}
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
		Attempts     *int     `json:"attempts"`
		PayloadID    *bool    `json:"payload_id"` // whether there is one
		HTTPStatus   *int     `json:"http_status"`
		Sent         *string  `json:"sent"`
		Retryable    *bool    `json:"retryable"`
		RetryAfterMs *int64   `json:"retry_after_ms"`
		MessageHas   []string `json:"message_has"`
		DetailsHas   *string  `json:"details_has"`

		Choices      *int
		Content      json.RawMessage // null is an expectation, too
		Reasoning    json.RawMessage
		FinishReason json.RawMessage     `json:"finish_reason"`
		ToolCallsHas *string             `json:"tool_calls_has"`
		ToolCalls    []map[string]string `json:"tool_calls"`
		Usage        map[string]int
		RequestID    json.RawMessage `json:"request_id"`
		Headers      map[string]*string
		Pointers     map[string]json.RawMessage
		Attestation  *string
	}
}

type scenarioConfig struct {
	Headers          map[string]string
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
	TLSPin           []string `json:"tls_pin"`
	PostQuantum      *bool    `json:"post_quantum"`
	KeyDir           *string  `json:"key_dir"`
	KeyGroupRead     bool     `json:"key_group_read"`
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
	if err := d.loadKeys(client, s); err != nil {
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

// loadKeys loads the scenario's pair from memory.
func (d *driver) loadKeys(client *nomyo.Client, s *scenario) error {
	if s.Keys == nil {
		return nil
	}
	fixture := func(name string) []byte {
		text, err := os.ReadFile("../../tests/fixtures/protocol/keys/" + name)
		if err != nil {
			d.Fatal(err)
		}
		return text
	}
	var public []byte
	if s.Keys.Public != "" {
		public = fixture(s.Keys.Public)
	}
	ctx := context.Background()
	err := client.LoadKeysPEM(ctx, fixture(s.Keys.Private), public, []byte(s.Keys.Password))
	if err != nil || s.Keys.Reload == nil {
		return err
	}
	password, before := []byte(*s.Keys.Reload), publicKey(d.T, client)
	exported, err := client.PrivateKeyPEM(ctx, password)
	if err != nil {
		return err
	}
	defer exported.Close()
	err = exported.Use(func(text []byte) error { return client.LoadKeysPEM(ctx, text, nil, password) })
	if err == nil && publicKey(d.T, client) != before {
		err = errors.New("another pair is loaded than was exported")
	}
	return err
}

// client is one for each configuration; all have the same key pair, but for those with a key directory.
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
	if c.KeyDir != nil {
		return client, nil
	}
	return client, client.LoadKeys(context.Background(), privateFixture(d, "client_private.pem"), "", nil)
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
	for name, value := range c.Headers {
		opts = append(opts, nomyo.WithHeader(name, value))
	}
	for _, pin := range c.TLSPin {
		opts = append(opts, nomyo.WithTLSPin(pin))
	}
	if c.PostQuantum != nil {
		opts = append(opts, nomyo.WithPostQuantum(*c.PostQuantum))
	}
	if c.KeyDir != nil {
		opts = append(opts, nomyo.WithKeyDir(d.expand(*c.KeyDir)))
	}
	if c.KeyGroupRead {
		opts = append(opts, nomyo.WithKeyGroupRead(true))
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
		"$FINGERPRINT", environment(d, "NOMYO_TEST_KEY_FINGERPRINT"),
		"$GROUP_KEYS", environment(d, "NOMYO_TEST_GROUP_KEYS")).Replace(text)
}

// sameHeaders takes "" for an absent header.
func (s *scenario) sameHeaders(id string, header func(string) string) bool {
	if raw := s.Expect.RequestID; raw != nil {
		var wanted string
		if json.Unmarshal(raw, &wanted) != nil || wanted != id {
			return false
		}
	}
	for name, wanted := range s.Expect.Headers {
		if wanted == nil && header(name) != "" || wanted != nil && *wanted != header(name) {
			return false
		}
	}
	return true
}

func (s *scenario) judgeError(e *nomyo.Error) error {
	x, retryAfter := &s.Expect, int64(-1)
	if wait, known := e.RetryAfter(); known {
		retryAfter = wait.Milliseconds()
	}
	switch {
	case !s.sameHeaders(e.RequestID, e.Header),
		x.HTTPStatus != nil && *x.HTTPStatus != e.HTTPStatus,
		x.Attempts != nil && *x.Attempts != e.Attempts,
		x.PayloadID != nil && *x.PayloadID != (len(e.PayloadID) == 36),
		x.Sent != nil && *x.Sent != e.Sent.String(),
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
	x := &s.Expect
	choices, err := answer.Choices()
	if err != nil {
		return err
	}
	if x.Choices != nil && *x.Choices != len(choices) {
		return fmt.Errorf("%d choices", len(choices))
	}
	if n := answer.Attempts(); x.Attempts != nil && *x.Attempts != n {
		return fmt.Errorf("%d attempts", n)
	}
	if id := answer.PayloadID(); x.PayloadID != nil && *x.PayloadID != (len(id) == 36) {
		return fmt.Errorf("payload id %q", id)
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
	reasoning := message + "/reasoning_content"
	if !bytes.HasPrefix(answer.Pointer(reasoning), []byte(`"`)) {
		reasoning = message + "/reasoning"
	}
	for pointer, text := range map[string]struct {
		want json.RawMessage
		got  string
	}{
		message + "/content":       {x.Content, first.Content},
		reasoning:                  {x.Reasoning, first.Reasoning},
		"/choices/0/finish_reason": {x.FinishReason, first.FinishReason},
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
	if calls, err := json.Marshal(first.ToolCalls); x.ToolCallsHas != nil && !strings.Contains(string(calls), *x.ToolCallsHas) {
		return fmt.Errorf("tool calls: %s, %v", calls, err)
	}
	if !s.sameHeaders(answer.RequestID(), answer.Header) {
		return fmt.Errorf("headers: %q", answer.Headers())
	}
	for i, wanted := range x.ToolCalls {
		if len(first.ToolCalls) != len(x.ToolCalls) {
			return fmt.Errorf("%d tool calls", len(first.ToolCalls))
		}
		call := first.ToolCalls[i]
		got := map[string]string{"id": call.ID, "name": call.Function.Name, "arguments": call.Function.Arguments}
		if !reflect.DeepEqual(got, wanted) {
			return fmt.Errorf("tool call: %q", got)
		}
	}
	if x.Usage != nil {
		usage, known := answer.Usage()
		got := map[string]int{
			"prompt_tokens": usage.PromptTokens, "completion_tokens": usage.CompletionTokens, "total_tokens": usage.TotalTokens,
			"cached_tokens": usage.PromptTokensDetails.CachedTokens, "reasoning_tokens": usage.CompletionTokensDetails.ReasoningTokens,
		}
		if !known || !reflect.DeepEqual(got, x.Usage) {
			return fmt.Errorf("usage: %v", got)
		}
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

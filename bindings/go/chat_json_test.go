package nomyo_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// sameJSON tells whether two texts are the same JSON value.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var values [2]any
	for i, text := range [][]byte{a, b} {
		if err := json.Unmarshal(text, &values[i]); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

func TestATypedRequestIsOpenAIsJSON(t *testing.T) {
	for want, request := range map[string]nomyo.ChatRequest{
		`{"model": "m", "messages": [{"role": "user", "content": "x"}]}`: {
			Model: "m", Messages: []nomyo.Message{{Role: "user", Content: "x"}},
		},
		`{"model": "m", "messages": [], "temperature": 0, "max_tokens": 5, "seed": 7, "response_format": {"type": "json_object"}}`: {
			Model: "m", Messages: []nomyo.Message{}, Temperature: nomyo.Ptr(0.0), MaxTokens: 5,
			ResponseFormat: &nomyo.ResponseFormat{Type: "json_object"},
			Extra:          map[string]json.RawMessage{"seed": json.RawMessage("7")},
		},
		`{"model": "m", "messages": [], "tools": [{"type": "function", "function": {"name": "f", "description": "d",
			"parameters": {"type": "object"}, "strict": true}}, {"type": "function", "function": {"name": "g"}}],
			"response_format": {"type": "json_schema", "json_schema": {"name": "s"}}}`: {
			Model: "m", Messages: []nomyo.Message{},
			Tools: []nomyo.Tool{{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type": "object"}`),
				Extra: map[string]json.RawMessage{"strict": json.RawMessage("true")}}, {Name: "g"}},
			ResponseFormat: &nomyo.ResponseFormat{Type: "json_schema", JSONSchema: json.RawMessage(`{"name": "s"}`)},
		},
		`{"model": "m", "messages": [{"role": "user", "name": "n", "content": [{"type": "text", "text": ""},
			{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}]}`: {
			Model: "m", Messages: []nomyo.Message{{Role: "user", Extra: map[string]json.RawMessage{"name": json.RawMessage(`"n"`)},
				Parts: []nomyo.Part{nomyo.TextPart(""), nomyo.ImagePart("data:image/png;base64,AA==")}}},
		},
	} {
		got, err := json.Marshal(request)
		if err != nil || !sameJSON(t, got, []byte(want)) {
			t.Errorf("%s, %v; expected %s", got, err, want)
		}
	}
}

func TestAMessageKeepsUnknownMembers(t *testing.T) {
	for _, text := range []string{
		`{"role": "assistant", "content": "x", "refusal": null, "annotations": [{"n": 12345678901234567890}]}`,
		`{"role": "assistant", "content": "", "tool_calls": [{"id": "1", "new": true}]}`,
		`{"role": "assistant", "content": "", "tool_calls": [{"id": "1", "type": "function", "index": 0,
			"function": {"name": "f", "arguments": "{}", "new": 1}}, {"id": "2", "type": "custom", "custom": {"input": "x"}}]}`,
		`{"role": "tool", "content": "x", "tool_call_id": "1"}`,
		`{"role": "user", "content": [{"type": "text", "text": "x", "cache": {}}, {"type": "new", "text": "y", "data": 1}]}`,
	} {
		var message nomyo.Message
		if err := json.Unmarshal([]byte(text), &message); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(message)
		if err != nil || !sameJSON(t, again, []byte(text)) || strings.Contains(text, "1234") && !strings.Contains(string(again), "12345678901234567890") {
			t.Errorf("%s, %v; expected %s", again, err, text)
		}
	}
	for _, text := range []string{`[]`, `{"role": 1}`, `{"content": 1}`, `{"content": [1]}`, `{"tool_calls": {}}`,
		`{"tool_calls": [1]}`, `{"tool_calls": [{"id": 1}]}`, `{"tool_calls": [{"function": {"arguments": {}}}]}`} {
		if err := json.Unmarshal([]byte(text), &nomyo.Message{}); err == nil {
			t.Errorf("%s is a message", text)
		}
	}
}

func TestAnAnswersMessageGoesIntoTheNextRequest(t *testing.T) {
	question := chat("a ", "nomyo_test", `{"reasoning":"hm"}`)
	question.Temperature, question.MaxTokens = nomyo.Ptr(0.5), 100
	question.Messages[0] = nomyo.Message{Role: "user", Parts: []nomyo.Part{nomyo.TextPart("a "), nomyo.ImagePart("data:,"), nomyo.TextPart("b")}}
	answer := ask(t, question)
	message, err := answer.Message()
	if err != nil || message.Role != "assistant" || message.Content != "a b" || string(message.Extra["reasoning_content"]) != `"hm"` {
		t.Fatalf("%+v, %v", message, err)
	}
	request := nomyo.ChatRequest{Model: "echo", Messages: append(question.Messages, message, nomyo.Message{Role: "user", Content: "c"})}
	if got := ask(t, request).Content(); got != "c" {
		t.Errorf("%q", got)
	}
	question = chat("Weather?")
	question.Tools = []nomyo.Tool{{Name: "get_weather"}}
	if message, err = ask(t, question).Message(); err != nil || len(message.ToolCalls) != 1 ||
		message.ToolCalls[0].Function.Name != "get_weather" {
		t.Errorf("%+v, %v", message, err)
	}
}

func TestUsage(t *testing.T) {
	usage, known := ask(t, chat("x")).Usage()
	if !known || usage.PromptTokens < 1 || usage.TotalTokens != usage.PromptTokens+usage.CompletionTokens || usage.Extra != nil {
		t.Errorf("%+v, %v", usage, known)
	}
	answer := ask(t, chat("x", "nomyo_test", `{"answer":{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":4,
		"prompt_tokens_details":{"cached_tokens":5,"audio_tokens":6,"new":7},"completion_tokens_details":{"reasoning_tokens":8,
		"audio_tokens":9,"accepted_prediction_tokens":10,"rejected_prediction_tokens":11,"new":12}}}}`))
	number := func(name, value string) map[string]json.RawMessage {
		return map[string]json.RawMessage{name: json.RawMessage(value)}
	}
	want := nomyo.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3, Extra: number("cost", "4"),
		PromptTokensDetails: nomyo.PromptTokensDetails{CachedTokens: 5, AudioTokens: 6, Extra: number("new", "7")},
		CompletionTokensDetails: nomyo.CompletionTokensDetails{ReasoningTokens: 8, AudioTokens: 9, AcceptedPredictionTokens: 10,
			RejectedPredictionTokens: 11, Extra: number("new", "12")}}
	if usage, known = answer.Usage(); !known || !reflect.DeepEqual(usage, want) {
		t.Errorf("%+v, %v", usage, known)
	}
	answer = ask(t, chat("x", "nomyo_test", `{"answer":{"usage":{"total_tokens":3,"prompt_tokens_details":null}}}`))
	if usage, known = answer.Usage(); !known || !reflect.DeepEqual(usage, nomyo.Usage{TotalTokens: 3}) {
		t.Errorf("%+v, %v", usage, known)
	}
}

func TestAnAnswerWithoutAMessageOrUsageIsSaidToHaveNone(t *testing.T) {
	for _, script := range []string{
		`{}`, `{"usage":null,"choices":[]}`, `{"usage":[],"choices":[{"message":null}]}`, `{"usage":{"total_tokens":"3"},"choices":[{"message":[]}]}`,
	} {
		answer := ask(t, chat("x", "nomyo_test", `{"answer":`+script+`}`))
		if usage, known := answer.Usage(); known || usage.TotalTokens != 0 {
			t.Errorf("%s: %+v", script, usage)
		}
		if message, err := answer.Message(); !errors.Is(err, nomyo.ErrProtocol) || message.Role != "" {
			t.Errorf("%s: %+v, %v", script, message, err)
		}
	}
}

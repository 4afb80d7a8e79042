package nomyo_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func TestToolCallsGoThereAndBack(t *testing.T) {
	question := chat("Weather?")
	question.Tools = []nomyo.Tool{{Name: "get_weather"}}
	answer := ask(t, question)
	choices, err := answer.Choices()
	if err != nil || len(choices) != 1 || len(choices[0].ToolCalls) != 1 {
		t.Fatalf("%+v, %v", choices, err)
	}
	choice, call := choices[0], choices[0].ToolCalls[0]
	if answer.Content() != "" || choice.Content != "" || choice.FinishReason != "tool_calls" {
		t.Errorf("%+v", choice)
	}
	want := nomyo.ToolCall{ID: call.ID, Type: "function", Function: nomyo.FunctionCall{Name: "get_weather", Arguments: "{}"}}
	if call.ID == "" || !reflect.DeepEqual(call, want) {
		t.Errorf("%+v", call)
	}
	request := nomyo.ChatRequest{Model: "echo", Messages: append(question.Messages,
		nomyo.Message{Role: "assistant", ToolCalls: choice.ToolCalls},
		nomyo.Message{Role: "tool", ToolCallID: call.ID, Content: "rain"},
	)}
	var body struct {
		Messages []struct {
			ToolCalls  json.RawMessage `json:"tool_calls"`
			ToolCallID string          `json:"tool_call_id"`
		}
	}
	text, err := json.Marshal(request)
	if err != nil || json.Unmarshal(text, &body) != nil || len(body.Messages) != 3 || body.Messages[2].ToolCallID != call.ID ||
		!sameJSON(t, body.Messages[1].ToolCalls, answer.Pointer("/choices/0/message/tool_calls")) {
		t.Errorf("%s, %v", text, err)
	}
	if got := ask(t, request).Content(); got != "rain" {
		t.Errorf("%q", got)
	}
}

func TestToolCallsOfEveryChoiceAreReadWhole(t *testing.T) {
	const sent = `[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": \"\u00fc\"}","new":[1]}},
		{"id":"b","type":"custom","custom":{"name":"g","input":"text"}}]`
	answer := ask(t, chat("x", "nomyo_test", `{"answer":{"choices":[{"message":{"content":"first","tool_calls":null}},
		{"message":{"tool_calls":`+sent+`},"finish_reason":"tool_calls"},{"message":{"tool_calls":[]}}]}}`))
	choices, err := answer.Choices()
	if err != nil || len(choices) != 3 {
		t.Fatalf("%+v, %v", choices, err)
	}
	if choices[0].ToolCalls != nil || choices[0].Content != "first" || len(choices[2].ToolCalls) != 0 {
		t.Errorf("%+v", choices)
	}
	raw := func(name, value string) map[string]json.RawMessage {
		return map[string]json.RawMessage{name: json.RawMessage(value)}
	}
	want := []nomyo.ToolCall{
		{ID: "a", Type: "function", Extra: raw("index", "0"),
			Function: nomyo.FunctionCall{Name: "f", Arguments: `{"x": "ü"}`, Extra: raw("new", "[1]")}},
		{ID: "b", Type: "custom", Extra: raw("custom", `{"input":"text","name":"g"}`)},
	}
	if got := choices[1].ToolCalls; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if again, err := json.Marshal(choices[1].ToolCalls); err != nil || !sameJSON(t, again, []byte(sent)) {
		t.Errorf("%s, %v", again, err)
	}
}

func TestACallWithoutATypeIsSentAsAFunction(t *testing.T) {
	call := nomyo.ToolCall{ID: "a", Function: nomyo.FunctionCall{Name: "f"}}
	const want = `{"id":"a","type":"function","function":{"name":"f","arguments":""}}`
	if got, err := json.Marshal(call); err != nil || !sameJSON(t, got, []byte(want)) {
		t.Errorf("%s, %v", got, err)
	}
}

func TestToolCallsInAnotherFormAreAnError(t *testing.T) {
	for _, calls := range []string{`{}`, `"x"`, `[1]`, `[{"id":1}]`, `[{"function":{"arguments":{},"name":"f"},"id":"a"}]`} {
		answer := ask(t, chat("x", "nomyo_test", `{"answer":{"choices":[{"message":{"content":"said","tool_calls":`+calls+`}}]}}`))
		choices, err := answer.Choices()
		if !errors.Is(err, nomyo.ErrProtocol) || choices != nil {
			t.Errorf("%s: %+v, %v", calls, choices, err)
		}
		if _, err := answer.Message(); !errors.Is(err, nomyo.ErrProtocol) {
			t.Errorf("%s: %v", calls, err)
		}
		if text := answer.Pointer("/choices/0/message/tool_calls"); string(text) != calls || answer.Content() != "said" {
			t.Errorf("%s: %s, %q", calls, text, answer.Content())
		}
	}
}

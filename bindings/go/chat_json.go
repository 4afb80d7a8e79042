//go:build cgo

package nomyo

import "encoding/json"

// MarshalJSON is the request's body.
func (r ChatRequest) MarshalJSON() ([]byte, error) {
	members := map[string]any{"model": r.Model, "messages": r.Messages}
	if r.Temperature != nil {
		members["temperature"] = *r.Temperature
	}
	if r.MaxTokens < 0 {
		return nil, argumentError("MaxTokens is negative: leave it out to have the server's limit")
	} else if r.MaxTokens > 0 {
		members["max_tokens"] = r.MaxTokens
	}
	if len(r.Tools) > 0 {
		members["tools"] = r.Tools
	}
	if r.ResponseFormat != nil {
		members["response_format"] = r.ResponseFormat
	}
	return object("ChatRequest", members, r.Extra)
}

// MarshalJSON is the message as a request has it.
func (m Message) MarshalJSON() ([]byte, error) {
	members := map[string]any{"role": m.Role, "content": m.Content}
	if len(m.Parts) > 0 {
		if m.Content != "" {
			return nil, argumentError("a Message has both Content and Parts: put the text into a TextPart")
		}
		members["content"] = m.Parts
	}
	if len(m.ToolCalls) > 0 {
		members["tool_calls"] = m.ToolCalls
	}
	if m.ToolCallID != "" {
		members["tool_call_id"] = m.ToolCallID
	}
	return object("Message", members, m.Extra)
}

// UnmarshalJSON reads a message of a request or of an answer. Members without a field go to Extra.
func (m *Message) UnmarshalJSON(text []byte) error {
	var content json.RawMessage
	read := Message{}
	extra, err := members(text, map[string]any{
		"role": &read.Role, "content": &content, "tool_calls": &read.ToolCalls, "tool_call_id": &read.ToolCallID,
	})
	if err != nil {
		return err
	}
	if len(content) > 0 && content[0] == '[' {
		err = json.Unmarshal(content, &read.Parts)
	} else if len(content) > 0 {
		err = json.Unmarshal(content, &read.Content)
	}
	read.Extra = extra
	*m = read
	return err
}

// MarshalJSON is the part as a request has it.
func (p Part) MarshalJSON() ([]byte, error) {
	members := map[string]any{"type": p.Type}
	if p.Type == "text" || p.Text != "" {
		members["text"] = p.Text
	}
	return object("Part", members, p.Extra)
}

// UnmarshalJSON reads a part. Members without a field go to Extra.
func (p *Part) UnmarshalJSON(text []byte) (err error) {
	read := Part{}
	read.Extra, err = members(text, map[string]any{"type": &read.Type, "text": &read.Text})
	*p = read
	return err
}

// MarshalJSON is the tool as a request has it.
func (t Tool) MarshalJSON() ([]byte, error) {
	members := map[string]any{"name": t.Name}
	if t.Description != "" {
		members["description"] = t.Description
	}
	if len(t.Parameters) > 0 {
		members["parameters"] = t.Parameters
	}
	function, err := object("Tool", members, t.Extra)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"type": "function", "function": json.RawMessage(function)})
}

// MarshalJSON is the call as a request has it.
func (t ToolCall) MarshalJSON() ([]byte, error) {
	members := map[string]any{}
	if t.ID != "" {
		members["id"] = t.ID
	}
	if t.Function.Name != "" || t.Function.Arguments != "" || t.Function.Extra != nil {
		members["function"] = t.Function
		members["type"] = "function"
	}
	if t.Type != "" {
		members["type"] = t.Type
	}
	return object("ToolCall", members, t.Extra)
}

// UnmarshalJSON reads a call. Members without a field go to Extra.
func (t *ToolCall) UnmarshalJSON(text []byte) (err error) {
	read := ToolCall{}
	read.Extra, err = members(text, map[string]any{"id": &read.ID, "type": &read.Type, "function": &read.Function})
	*t = read
	return err
}

// MarshalJSON is the function of a call as a request has it.
func (f FunctionCall) MarshalJSON() ([]byte, error) {
	return object("FunctionCall", map[string]any{"name": f.Name, "arguments": f.Arguments}, f.Extra)
}

// UnmarshalJSON reads the function of a call. Members without a field go to Extra.
func (f *FunctionCall) UnmarshalJSON(text []byte) (err error) {
	read := FunctionCall{}
	read.Extra, err = members(text, map[string]any{"name": &read.Name, "arguments": &read.Arguments})
	*f = read
	return err
}

// UnmarshalJSON reads an answer's usage. Members without a field go to Extra.
func (u *Usage) UnmarshalJSON(text []byte) (err error) {
	read := Usage{}
	read.Extra, err = members(text, map[string]any{
		"prompt_tokens": &read.PromptTokens, "completion_tokens": &read.CompletionTokens, "total_tokens": &read.TotalTokens,
		"prompt_tokens_details": &read.PromptTokensDetails, "completion_tokens_details": &read.CompletionTokensDetails,
	})
	*u = read
	return err
}

// UnmarshalJSON reads a part of an answer's usage. Members without a field go to Extra.
func (d *PromptTokensDetails) UnmarshalJSON(text []byte) (err error) {
	read := PromptTokensDetails{}
	read.Extra, err = members(text, map[string]any{"cached_tokens": &read.CachedTokens, "audio_tokens": &read.AudioTokens})
	*d = read
	return err
}

// UnmarshalJSON reads a part of an answer's usage. Members without a field go to Extra.
func (d *CompletionTokensDetails) UnmarshalJSON(text []byte) (err error) {
	read := CompletionTokensDetails{}
	read.Extra, err = members(text, map[string]any{
		"reasoning_tokens": &read.ReasoningTokens, "audio_tokens": &read.AudioTokens,
		"accepted_prediction_tokens": &read.AcceptedPredictionTokens,
		"rejected_prediction_tokens": &read.RejectedPredictionTokens,
	})
	*d = read
	return err
}

// object is a JSON object of the members and the extra ones. A member that is in both is an error.
func object(of string, members map[string]any, extra map[string]json.RawMessage) ([]byte, error) {
	for name, value := range extra {
		if _, taken := members[name]; taken {
			return nil, argumentError("Extra contains " + name + ", which " + of + " has a field for")
		}
		members[name] = value
	}
	return json.Marshal(members)
}

// members reads an object's members into the fields of the same name, and returns the others; nil if there are none.
func members(text []byte, fields map[string]any) (extra map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(text, &extra); err != nil {
		return nil, err
	}
	for name, field := range fields {
		if value, there := extra[name]; there {
			if err := json.Unmarshal(value, field); err != nil {
				return nil, err
			}
			delete(extra, name)
		}
	}
	if len(extra) == 0 {
		return nil, nil
	}
	return extra, nil
}

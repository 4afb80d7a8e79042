//go:build cgo

package nomyo

import "encoding/json"

// ChatRequest is one chat request. A field that has its zero value is not sent, except Model and Messages.
type ChatRequest struct {
	Model    string
	Messages []Message

	Temperature    *float64        // nil: the server's default; see [Ptr]
	MaxTokens      int             // the largest length of the answer, as max_tokens
	Tools          []Tool          // functions that the model may call
	ResponseFormat *ResponseFormat // the form of the answer

	// Extra is any other member of the request, such as "tool_choice" or "seed".
	Extra map[string]json.RawMessage
}

// Ptr is a pointer to a copy of v, for optional fields: Temperature: nomyo.Ptr(0.2).
func Ptr[T any](v T) *T { return &v }

// Message is one message of a conversation. Its content is Content, or Parts if Parts is not empty.
type Message struct {
	Role    string
	Content string
	Parts   []Part

	ToolCalls  []ToolCall // of an assistant's message: the calls that the model asks for
	ToolCallID string     // of a tool's message: the ID of the call that it answers

	// Extra is any other member of the message, such as "name".
	Extra map[string]json.RawMessage
}

// Part is one part of a message's content; see [TextPart] and [ImagePart].
type Part struct {
	Type string
	Text string // of the type "text"

	// Extra is any other member of the part, such as "image_url".
	Extra map[string]json.RawMessage
}

// TextPart is a part that is text.
func TextPart(text string) Part { return Part{Type: "text", Text: text} }

// ImagePart is a part that is an image. With a data: URL the image is encrypted with the request. Any other URL is fetched by
// the server, so that the host of the image sees the request.
func ImagePart(url string) Part {
	image, _ := json.Marshal(map[string]string{"url": url}) // a map of strings is always JSON
	return Part{Type: "image_url", Extra: map[string]json.RawMessage{"image_url": image}}
}

// Tool is a function that the model may call. Tools of other types are possible with Extra["tools"] of [ChatRequest].
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage // the JSON Schema of the arguments; nil for a function without arguments

	// Extra is any other member of the function, such as "strict".
	Extra map[string]json.RawMessage
}

// ToolCall is one call that the model asks for. Append the whole message that holds it to the next request, and one message
// with the role "tool" for each call.
type ToolCall struct {
	ID       string // to be sent back as ToolCallID
	Type     string // "function"; "" is sent as "function", too
	Function FunctionCall

	// Extra is any other member of the call, such as "custom" of the type "custom".
	Extra map[string]json.RawMessage
}

// FunctionCall is the function of a [ToolCall].
type FunctionCall struct {
	Name string

	// Arguments is a JSON object as text. UNTRUSTED: the model has written it, and it may be no JSON at all, or name other
	// parameters than the function has.
	Arguments string

	// Extra is any other member of the function.
	Extra map[string]json.RawMessage
}

// ResponseFormat is the form that the answer must have.
type ResponseFormat struct {
	Type       string          `json:"type"`                  // "text", "json_object" or "json_schema"
	JSONSchema json.RawMessage `json:"json_schema,omitempty"` // of the type "json_schema": an object with name and schema
}

// Usage is how many tokens a request and its answer have. A counter that the server does not give is 0.
type Usage struct {
	PromptTokens     int
	CompletionTokens int
	TotalTokens      int

	PromptTokensDetails     PromptTokensDetails     // parts of PromptTokens
	CompletionTokensDetails CompletionTokensDetails // parts of CompletionTokens

	// Extra is any other member.
	Extra map[string]json.RawMessage
}

// PromptTokensDetails are parts of the prompt's tokens.
type PromptTokensDetails struct {
	CachedTokens int // that the server had in its cache
	AudioTokens  int

	// Extra is any other member.
	Extra map[string]json.RawMessage
}

// CompletionTokensDetails are parts of the answer's tokens.
type CompletionTokensDetails struct {
	ReasoningTokens          int // of the model's reasoning
	AudioTokens              int
	AcceptedPredictionTokens int // of a prediction in the request, which the answer has
	RejectedPredictionTokens int // of a prediction in the request, which the answer does not have

	// Extra is any other member.
	Extra map[string]json.RawMessage
}

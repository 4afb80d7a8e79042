// Tools lets the model call a function of ours: it asks for the document on standard input, gets it, and answers.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// tools is what we offer, in OpenAI's form.
const tools = `[{"type": "function", "function": {
	"name": "read_document",
	"description": "The text that the user is looking at",
	"parameters": {"type": "object", "properties": {}}
}}]`

// call is one of the model's calls.
type call struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"` // a JSON object, written by the model: not to be trusted
	} `json:"function"`
}

func main() {
	url := flag.String("url", "https://api.nomyo.ai", "the server")
	ca := flag.String("ca", "", "PEM file of the authorities to believe instead of the system's")
	flag.Parse()
	options := []nomyo.Option{nomyo.WithEnvironment(), nomyo.WithBaseURL(*url)}
	if *ca != "" {
		options = append(options, nomyo.WithCAFile(*ca))
	}
	client, err := nomyo.NewClient(options...)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	said, err := converse(context.Background(), client, "What is the document about?")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(said)
}

// converse answers the model's calls until it has no more.
func converse(ctx context.Context, client *nomyo.Client, question string) (string, error) {
	request := nomyo.ChatRequest{
		Model:    "Qwen/Qwen3-0.6B",
		Messages: []nomyo.Message{{Role: "user", Content: question}},
		Extra:    map[string]json.RawMessage{"tools": json.RawMessage(tools)},
	}
	for range 5 {
		choice, err := first(ctx, client, request)
		if err != nil {
			return "", err
		}
		if choice.ToolCalls == nil {
			return choice.Content, nil
		}
		var calls []call
		if err := json.Unmarshal(choice.ToolCalls, &calls); err != nil {
			return "", err
		}
		request.Messages = append(request.Messages,
			nomyo.Message{Role: "assistant", Content: choice.Content, ToolCalls: choice.ToolCalls})
		for _, call := range calls {
			request.Messages = append(request.Messages, nomyo.Message{Role: "tool", ToolCallID: call.ID, Content: result(call)})
		}
	}
	return "", fmt.Errorf("the model calls functions without end")
}

func first(ctx context.Context, client *nomyo.Client, request nomyo.ChatRequest) (nomyo.Choice, error) {
	answer, err := client.Create(ctx, request)
	if err != nil {
		return nomyo.Choice{}, err
	}
	defer answer.Close()
	choices := answer.Choices()
	if len(choices) == 0 {
		return nomyo.Choice{}, fmt.Errorf("the answer has no choice")
	}
	return choices[0], nil
}

// result is what a call gets back: a text, which may as well say what is wrong with the call.
func result(call call) string {
	if call.Function.Name != "read_document" {
		return "there is no function " + call.Function.Name
	}
	document, err := io.ReadAll(os.Stdin)
	if err != nil {
		return "the document cannot be read"
	}
	return string(document)
}

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

// tools is what we offer.
var tools = []nomyo.Tool{{
	Name:        "read_document",
	Description: "The text that the user is looking at",
	Parameters:  json.RawMessage(`{"type": "object", "properties": {}}`),
}}

func main() {
	url := flag.String("url", "", "the server; default: NOMYO_BASE_URL, else https://api.nomyo.ai")
	ca := flag.String("ca", "", "PEM file of the authorities to believe instead of the system's")
	flag.Parse()
	options := []nomyo.Option{nomyo.WithEnvironment()}
	if *url != "" {
		options = append(options, nomyo.WithBaseURL(*url))
	}
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
		Tools:    tools,
	}
	for range 5 {
		message, err := first(ctx, client, request)
		if err != nil {
			return "", err
		}
		if len(message.ToolCalls) == 0 {
			return message.Content, nil
		}
		request.Messages = append(request.Messages, message)
		for _, call := range message.ToolCalls {
			request.Messages = append(request.Messages, nomyo.Message{Role: "tool", ToolCallID: call.ID, Content: result(call)})
		}
	}
	return "", fmt.Errorf("the model calls functions without end")
}

func first(ctx context.Context, client *nomyo.Client, request nomyo.ChatRequest) (nomyo.Message, error) {
	answer, err := client.Create(ctx, request)
	if err != nil {
		return nomyo.Message{}, err
	}
	defer answer.Close()
	return answer.Message()
}

// result is what a call gets back: a text, which may as well say what is wrong with the call. The model has written the call,
// so that a function that has parameters must check call.Function.Arguments.
func result(call nomyo.ToolCall) string {
	if call.Function.Name != "read_document" {
		return "there is no function " + call.Function.Name
	}
	document, err := io.ReadAll(os.Stdin)
	if err != nil {
		return "the document cannot be read"
	}
	return string(document)
}

// Chat sends standard input as one encrypted prompt to the server in NOMYO_BASE_URL, with the key in NOMYO_API_KEY, and
// prints the answer. Flags win over the environment.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func main() {
	url := flag.String("url", "", "the server; default: NOMYO_BASE_URL, else https://api.nomyo.ai")
	ca := flag.String("ca", "", "PEM file of the authorities to believe instead of the system's")
	model := flag.String("model", "Qwen/Qwen3-0.6B", "the model")
	flag.Parse()
	options := []nomyo.Option{nomyo.WithEnvironment()}
	if *url != "" {
		options = append(options, nomyo.WithBaseURL(*url))
	}
	if *ca != "" {
		options = append(options, nomyo.WithCAFile(*ca))
	}
	if err := chat(options, *model); err != nil {
		log.Fatal(err)
	}
}

func chat(options []nomyo.Option, model string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // Ctrl-C ends the call
	defer stop()
	prompt, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	client, err := nomyo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close() // wipes the keys
	answer, err := client.Create(ctx, nomyo.ChatRequest{
		Model:    model,
		Messages: []nomyo.Message{{Role: "user", Content: string(prompt)}},
	})
	if err != nil {
		return err
	}
	defer answer.Close() // wipes the answer
	// A view leaves no copy in Go's memory, as answer.Content() would.
	return answer.ViewContent(func(text []byte) error {
		_, err := fmt.Printf("%s\n", text)
		return err
	})
}

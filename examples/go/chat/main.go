// Chat sends standard input as one encrypted prompt, with the key in NOMYO_API_KEY, and prints the answer.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func main() {
	url := flag.String("url", "https://api.nomyo.ai", "the server")
	ca := flag.String("ca", "", "PEM file of the authorities to believe instead of the system's")
	model := flag.String("model", "Qwen/Qwen3-0.6B", "the model")
	flag.Parse()
	prompt, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	text, err := chat(*url, *ca, *model, string(prompt))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
}

func chat(url, ca, model, prompt string) (string, error) {
	options := []nomyo.Option{nomyo.WithBaseURL(url), nomyo.WithAPIKey(os.Getenv("NOMYO_API_KEY"))}
	if ca != "" {
		options = append(options, nomyo.WithCAFile(ca))
	}
	client, err := nomyo.NewClient(options...)
	if err != nil {
		return "", err
	}
	defer client.Close()
	answer, err := client.Create(context.Background(), nomyo.ChatRequest{
		Model: model, Messages: []nomyo.Message{{Role: "user", Content: prompt}},
	})
	if err != nil {
		return "", err
	}
	defer answer.Close()
	return answer.Content(0)
}

// Parallel sends each line of standard input as a prompt of its own, several at once through one client, and prints the
// answers in the order of the lines.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func main() {
	url := flag.String("url", "", "the server; default: NOMYO_BASE_URL, else https://api.nomyo.ai")
	ca := flag.String("ca", "", "PEM file of the authorities to believe instead of the system's")
	atOnce := flag.Int("at-once", 8, "how many requests are under way at once")
	flag.Parse()
	options := []nomyo.Option{nomyo.WithEnvironment(), nomyo.WithMaxConcurrency(*atOnce)}
	if *url != "" {
		options = append(options, nomyo.WithBaseURL(*url))
	}
	if *ca != "" {
		options = append(options, nomyo.WithCAFile(*ca))
	}
	client, err := nomyo.NewClient(options...) // one for all: it keeps its key pair and its connections
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	var prompts []string
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		prompts = append(prompts, lines.Text())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // for all of them together
	defer cancel()
	answers, err := askAll(ctx, client, prompts)
	if err != nil {
		log.Fatal(err)
	}
	for _, answer := range answers {
		fmt.Println(answer)
	}
}

// askAll returns an answer to each prompt. The first failure ends the calls that are under way.
func askAll(ctx context.Context, client *nomyo.Client, prompts []string) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answers := make([]string, len(prompts))
	var group sync.WaitGroup
	for i, prompt := range prompts {
		group.Add(1)
		go func() {
			defer group.Done()
			text, err := ask(ctx, client, prompt)
			if err != nil {
				cancel(fmt.Errorf("prompt %d: %w", i+1, err))
			}
			answers[i] = text
		}()
	}
	group.Wait()
	return answers, context.Cause(ctx)
}

func ask(ctx context.Context, client *nomyo.Client, prompt string) (string, error) {
	answer, err := client.Create(ctx, nomyo.ChatRequest{
		Model:    "Qwen/Qwen3-0.6B",
		Messages: []nomyo.Message{{Role: "user", Content: prompt}},
	})
	if err != nil {
		return "", err
	}
	defer answer.Close()
	return answer.Content(), nil
}

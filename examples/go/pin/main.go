// Pin talks to no server but the one whose key has the given fingerprint, so that the encryption holds even where TLS is
// intercepted. Without -pin it shows the fingerprint, to be compared with what the server's operator says.
package main

import (
	"context"
	"errors"
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
	pin := flag.String("pin", "", "SHA-256 of the server's public key, 64 hexadecimal digits")
	flag.Parse()
	options := []nomyo.Option{nomyo.WithEnvironment(), nomyo.WithBaseURL(*url)}
	if *ca != "" {
		options = append(options, nomyo.WithCAFile(*ca))
	}
	var err error
	if *pin == "" {
		err = show(options)
	} else {
		err = chat(append(options, nomyo.WithServerKeyPin(*pin))) // again for the next key, before the server changes it
	}
	if errors.Is(err, nomyo.ErrPin) {
		log.Fatalf("this is not the server that we know, or its key has changed; nothing was sent: %v", err)
	} else if err != nil {
		log.Fatal(err)
	}
}

func show(options []nomyo.Option) error {
	client, err := nomyo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	_, fingerprint, err := client.ServerKey()
	if err != nil {
		return err
	}
	fmt.Println(fingerprint)
	return nil
}

func chat(options []nomyo.Option) error {
	prompt, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	client, err := nomyo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.Create(context.Background(), nomyo.ChatRequest{
		Model:    "Qwen/Qwen3-0.6B",
		Messages: []nomyo.Message{{Role: "user", Content: string(prompt)}},
	})
	if err != nil {
		return err
	}
	defer answer.Close()
	fmt.Println(answer.Content())
	return nil
}

// Pin sends standard input to no server but the one with the given fingerprints. Without any, it shows the fingerprints of
// the server that answers, to be compared with those that the operator publishes.
//
// With -pin, nobody but the owner of the server's key can read the prompt, even if TLS is intercepted. With -tls-pin, an
// interceptor gets neither the API key nor the prompt nor the answer.
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
	url := flag.String("url", "", "the server; default: NOMYO_BASE_URL, else https://api.nomyo.ai")
	ca := flag.String("ca", "", "PEM file of the authorities to believe instead of the system's")
	pin := flag.String("pin", "", "SHA-256 of the server's public key, 64 hexadecimal digits")
	tlsPin := flag.String("tls-pin", "", "SHA-256 of a public key in the server's certificate chain, as shown")
	flag.Parse()
	options := []nomyo.Option{nomyo.WithEnvironment()}
	if *url != "" {
		options = append(options, nomyo.WithBaseURL(*url))
	}
	if *ca != "" {
		options = append(options, nomyo.WithCAFile(*ca))
	}
	use := show
	if *pin != "" {
		use, options = chat, append(options, nomyo.WithServerKeyPin(*pin)) // again for the next key, before the server changes it
	}
	if *tlsPin != "" {
		use, options = chat, append(options, nomyo.WithTLSPin(*tlsPin))
	}
	err := use(options)
	if errors.Is(err, nomyo.ErrPin) {
		log.Fatalf("this is not the server that we know, or its key has changed: %v", err)
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
	_, fingerprint, err := client.ServerKey(context.Background())
	if err != nil {
		return err
	}
	fmt.Println("-pin", fingerprint)
	chain, err := client.TLSChain(context.Background())
	if err != nil {
		return err
	}
	for _, certificate := range chain {
		fmt.Println("-tls-pin", certificate.SHA256, "for the", certificate.Role, certificate.Subject)
	}
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

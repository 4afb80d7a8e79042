// Attestation prints an answer only if it came with a TPM quote that holds, and says what that proves. With -pcr the
// registers must have the given values, too: -pcr 7=HEX,0=HEX of the bank sha256.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func main() {
	url := flag.String("url", "", "the server; default: NOMYO_BASE_URL, else https://api.nomyo.ai")
	ca := flag.String("ca", "", "PEM file of the authorities to believe instead of the system's")
	pcrs := flag.String("pcr", "", "values of registers: INDEX=HEX,INDEX=HEX...")
	flag.Parse()
	policy, err := parse(*pcrs)
	if err != nil {
		log.Fatal(err)
	}
	options := []nomyo.Option{nomyo.WithEnvironment(), nomyo.WithAttestation(policy)}
	if *url != "" {
		options = append(options, nomyo.WithBaseURL(*url))
	}
	if *ca != "" {
		options = append(options, nomyo.WithCAFile(*ca))
	}
	err = chat(options)
	if errors.Is(err, nomyo.ErrAttestation) {
		// The quote comes with the answer: the prompt has been sent all the same.
		log.Fatalf("the answer is withheld: %v", err)
	} else if err != nil {
		log.Fatal(err)
	}
}

// parse makes the policy. Several values of one register are alternatives, as before and after an update.
func parse(pcrs string) (nomyo.AttestationPolicy, error) {
	policy := nomyo.AttestationPolicy{Require: nomyo.AttestationConsistent}
	if pcrs == "" {
		return policy, nil
	}
	policy.Require = nomyo.AttestationBaseline
	for _, pcr := range strings.Split(pcrs, ",") {
		index, value, _ := strings.Cut(pcr, "=")
		n, err := strconv.ParseUint(index, 10, 32)
		if err != nil {
			return policy, err
		}
		policy.Allow = append(policy.Allow, nomyo.PCR{Bank: "sha256", Index: uint32(n), Value: value})
	}
	return policy, nil
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
	verdict := answer.Attestation()
	fmt.Printf("%s: %s\n", verdict.Level, verdict.Level.Meaning())
	fmt.Printf("%s\n", answer.AttestationReport())
	return nil
}

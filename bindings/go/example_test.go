package nomyo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// TestMain lets the examples, which say no server, find the endpoint.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"NOMYO_BASE_URL": "NOMYO_TEST_BASE_URL", "NOMYO_API_KEY": "NOMYO_TEST_API_KEY", "SSL_CERT_FILE": "NOMYO_TEST_CA_FILE",
	} {
		os.Setenv(name, os.Getenv(value))
	}
	os.Exit(m.Run())
}

func Example() {
	client, err := nomyo.NewClient(nomyo.WithEnvironment()) // NOMYO_API_KEY
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	answer, err := client.Create(context.Background(), nomyo.ChatRequest{
		Model:    "Qwen/Qwen3-0.6B",
		Messages: []nomyo.Message{{Role: "user", Content: "Hello"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Close()
	fmt.Println(answer.Content())
	// Output: Hello
}

func ExampleError() {
	client, err := nomyo.NewClient(nomyo.WithEnvironment(), nomyo.WithAPIKey("not-the-key"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = client.CreateJSON(ctx, []byte(`{"model":"m","messages":[{"role":"user","content":"Hello"}]}`))
	var e *nomyo.Error
	fmt.Println(errors.Is(err, nomyo.ErrAuthentication), errors.As(err, &e) && e.HTTPStatus == 401)
	// Output: true true
}

func ExampleReadSecret() {
	file := strings.NewReader("an-api-key\n") // an *os.File, say
	key, err := nomyo.ReadSecret(file, 1000)
	if err != nil {
		log.Fatal(err)
	}
	client, err := nomyo.NewClient(nomyo.WithAPIKey(key))
	key.Close() // wipes it; the client has a copy of its own, in locked memory too
	if err != nil {
		log.Fatal(err)
	}
	client.Close()
	// Output:
}

func ExampleChatRequest() {
	client, err := nomyo.NewClient(nomyo.WithEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	answer, err := client.Create(context.Background(), nomyo.ChatRequest{
		Model: "Qwen/Qwen3-0.6B",
		Messages: []nomyo.Message{{Role: "user", Parts: []nomyo.Part{
			nomyo.TextPart("What is this?"), nomyo.ImagePart("data:image/png;base64,iVBORw0KGgo="),
		}}},
		Temperature: nomyo.Ptr(0.2),
		MaxTokens:   100,
		Extra:       map[string]json.RawMessage{"seed": json.RawMessage("7")},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Close()
	usage, known := answer.Usage()
	fmt.Println(answer.Content(), known && usage.TotalTokens > 0)
	// Output: What is this? true
}

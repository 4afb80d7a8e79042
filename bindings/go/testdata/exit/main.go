// Exit ends while eight goroutines make clients, seal and chat: exit WAY DURATION KEY SERVERKEY. The way is "return" or
// "os.Exit". KEY is the file of the client's private key, SERVERKEY that of the server's public key. It prints how many
// requests were sealed and how many were answered.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync/atomic"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

var sealed, answered atomic.Int64

func main() {
	moment, err := time.ParseDuration(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	serverKey, err := os.ReadFile(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	for range 8 {
		go func() {
			for {
				if err := work(os.Args[3], serverKey); err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	time.Sleep(moment)
	fmt.Println(sealed.Load(), answered.Load())
	if os.Args[1] == "os.Exit" {
		os.Exit(0)
	}
}

func work(key string, serverKey []byte) error {
	ctx := context.Background()
	client, err := nomyo.NewClient(nomyo.WithEnvironment())
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.LoadKeys(ctx, key, "", nil); err != nil {
		return err
	}
	request, err := client.Seal(ctx, serverKey, []byte(`{"messages":[]}`))
	if err != nil {
		return err
	}
	sealed.Add(1)
	request.Close()
	answer, err := client.CreateJSON(ctx, []byte(`{"model":"m","messages":[{"role":"user","content":"until the end"}]}`))
	if err != nil {
		return err
	}
	answered.Add(1)
	return answer.Close()
}

// A request with the Go package, by a program that takes care; run by golang.py, which looks at the memory.
//
//	child URL CA-FILE KEY-LENGTH REQUEST-LENGTH
//
// The key and the request come on standard input. It says what it has done, and goes on at each line that it reads.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"

	"github.com/nomyo-ai/libnomyo/tests/memory/go/steps"
)

func main() {
	key := steps.Read(os.Args[3])
	client, err := nomyo.NewClient(nomyo.WithBaseURL(os.Args[1]), nomyo.WithCAFile(os.Args[2]), nomyo.WithAPIKey(key))
	steps.Check(err)
	steps.Check(key.Close())
	steps.Check(client.WarmUp(context.Background()))
	pem, err := client.PublicKey(context.Background())
	steps.Check(err)
	steps.Say(fmt.Sprintf("%q", pem))

	request := steps.Read(os.Args[4])
	var answer *nomyo.Response
	steps.Check(request.Use(func(body []byte) (err error) {
		answer, err = client.CreateJSON(context.Background(), body)
		return err
	}))
	steps.Check(request.Close())
	sum := 0
	steps.Check(answer.ViewContent(func(text []byte) error {
		for i, b := range text {
			sum += (i + 1) * int(b)
		}
		return nil
	}))
	steps.Say(answer.PayloadID() + " " + strconv.Itoa(sum))
	steps.Check(answer.Close())
	steps.Say("answer closed")
	steps.Check(client.Close())
	steps.Say("client closed")
}

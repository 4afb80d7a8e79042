// A request with the Go package, by a program that takes care; run by golang.py, which looks at the memory.
//
//	child URL CA-FILE KEY-LENGTH REQUEST-LENGTH
//
// The key and the request come on standard input. It says what it has done, and goes on at each line that it reads.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func main() {
	key := read(os.Args[3])
	client, err := nomyo.NewClient(nomyo.WithBaseURL(os.Args[1]), nomyo.WithCAFile(os.Args[2]), nomyo.WithAPIKey(key))
	check(err)
	check(key.Close())
	check(client.WarmUp())
	pem, err := client.PublicKey()
	check(err)
	say(fmt.Sprintf("%q", pem))

	request := read(os.Args[4])
	var answer *nomyo.Response
	check(request.Use(func(body []byte) (err error) {
		answer, err = client.CreateJSON(context.Background(), body)
		return err
	}))
	check(request.Close())
	sum := 0
	check(answer.ViewContent(func(text []byte) error {
		for i, b := range text {
			sum += (i + 1) * int(b)
		}
		return nil
	}))
	say(answer.PayloadID() + " " + strconv.Itoa(sum))
	check(answer.Close())
	say("answer closed")
	check(client.Close())
	say("client closed")
}

func read(length string) *nomyo.SecretBytes {
	n, err := strconv.Atoi(length)
	check(err)
	secret, err := nomyo.ReadSecret(io.LimitReader(os.Stdin, int64(n)), n)
	check(err)
	return secret
}

// say reports, and waits until it is to go on.
func say(line string) {
	fmt.Println(line)
	_, err := os.Stdin.Read(make([]byte, 1))
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

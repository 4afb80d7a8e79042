// Makes calls while a CPU profile runs. The profile's timers send signals to the working threads. storm_languages.py runs this
// program and scans its memory.
//
//	profiled URL CA-FILE PRIVATE-KEY-FILE SERVER-KEY-FILE RATE COUNT KEY-LENGTH REQUEST-LENGTH
//
// The API key and the request come on standard input. The program prints each step and waits for a line before the next.
package main

import (
	"context"
	"io"
	"os"
	"runtime"
	"runtime/pprof"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"

	"github.com/nomyo-ai/libnomyo/tests/memory/go/steps"
)

func main() {
	file, rate, count := os.Args[3], steps.Number(os.Args[5]), steps.Number(os.Args[6])
	server, err := os.ReadFile(os.Args[4])
	steps.Check(err)
	key := steps.Read(os.Args[7])
	client, err := nomyo.NewClient(nomyo.WithBaseURL(os.Args[1]), nomyo.WithCAFile(os.Args[2]), nomyo.WithAPIKey(key))
	steps.Check(err)
	steps.Check(key.Close())
	steps.Check(client.LoadKeys(context.Background(), file, "", nil))
	request := steps.Read(os.Args[8])

	// StartCPUProfile keeps a rate that is set already, and says so on standard error.
	runtime.SetCPUProfileRate(rate)
	steps.Check(pprof.StartCPUProfile(io.Discard))
	payloadID := ""
	for range count {
		steps.Check(client.LoadKeys(context.Background(), file, "", nil))
		steps.Check(request.Use(func(body []byte) error {
			sealed, err := client.Seal(context.Background(), server, body)
			steps.Check(err)
			steps.Check(sealed.Close())
			answer, err := client.CreateJSON(context.Background(), body)
			steps.Check(err)
			steps.Check(answer.ViewContent(func([]byte) error { return nil }))
			payloadID = answer.PayloadID()
			return answer.Close()
		}))
	}
	pprof.StopCPUProfile()
	steps.Check(request.Close())
	steps.Say(payloadID)
	steps.Check(client.Close())
	steps.Say("client closed")
}

// Service answers HTTP requests through one client, and has Go's profiler on the same port. It ends well on SIGTERM.
//
//	service PRIVATE-KEY
//
// It prints its address, and at its end how many goroutines there were before the client was made, and how many are left.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof" // adds /debug/pprof to the default handlers
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func main() {
	log.SetFlags(0)
	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	before := runtime.NumGoroutine()
	if err := serve(terminated, os.Args[1]); err != nil {
		log.Fatal(err)
	}
	after := runtime.NumGoroutine()
	for i := 0; i < 100 && after > before; i++ { // goroutines that were told to end need a moment
		time.Sleep(20 * time.Millisecond)
		after = runtime.NumGoroutine()
	}
	fmt.Println(before, after)
	if after > before {
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		os.Exit(1)
	}
}

// serve answers requests until ctx ends, then lets the requests in flight end.
func serve(ctx context.Context, key string) error {
	client, err := nomyo.NewClient(nomyo.WithEnvironment())
	if err != nil {
		return err
	}
	if err := client.LoadKeys(ctx, key, "", nil); err != nil {
		return err
	}
	http.HandleFunc("POST /ask", func(w http.ResponseWriter, r *http.Request) { ask(client, w, r) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	var server http.Server
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	<-ctx.Done()
	patience, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := errors.Join(server.Shutdown(patience), client.Shutdown(patience)); err != nil {
		return err
	}
	if err := <-ended; err != http.ErrServerClosed {
		return err
	}
	return nil
}

// ask sends the body to the server, and writes the answer's text.
func ask(client *nomyo.Client, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := client.CreateJSON(r.Context(), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Close()
	_ = answer.ViewContent(func(text []byte) error {
		_, err := w.Write(text)
		return err
	})
}

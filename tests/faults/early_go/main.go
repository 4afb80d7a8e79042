// A server of net/http that refuses chat requests without reading them, or after the first MiB:
//
//	early_go ADDRESS PUBLIC-KEY-FILE [CERTIFICATE KEY]
//
// A path such as /unread-413/v1/chat/secure_completion says how, and with which status. /posts returns the number of chat
// requests. With a certificate it speaks TLS.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

const limit = 1 << 20

func main() {
	address, public := os.Args[1], os.Args[2]
	var posts atomic.Int32
	http.HandleFunc("GET /posts", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, posts.Load()) })
	http.HandleFunc("GET /{way}/pki/public_key", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, public)
	})
	http.HandleFunc("POST /{way}/v1/chat/secure_completion", func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		how, status, _ := strings.Cut(r.PathValue("way"), "-")
		code, err := strconv.Atoi(status)
		if err != nil {
			code = http.StatusNotFound
		}
		if how == "limited" {
			_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, limit))
			if tooLarge := new(http.MaxBytesError); !errors.As(err, &tooLarge) {
				code = http.StatusBadRequest
			}
		}
		w.Header().Set("Retry-After", "121")
		http.Error(w, `{"detail":"refused early"}`, code)
	})
	if len(os.Args) > 3 {
		log.Fatal(http.ListenAndServeTLS(address, os.Args[3], os.Args[4], nil))
	}
	log.Fatal(http.ListenAndServe(address, nil))
}

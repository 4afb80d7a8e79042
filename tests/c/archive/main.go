// A Go program with libnomyo.a and another Rust static library.
package main

/*
#cgo LDFLAGS: ${SRCDIR}/libother.a
#include <stddef.h>
#include <stdint.h>
void other_keeps(size_t kib);
int32_t other_panics(void);
*/
import "C"

import (
	"fmt"
	"os"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func main() {
	secret, err := nomyo.NewSecretBytes(100)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer secret.Close()
	before := nomyo.Memory()
	C.other_keeps(64 * 1024)
	if after := nomyo.Memory(); after != before {
		fmt.Fprintf(os.Stderr, "the other library allocates in the vault: %+v, then %+v\n", before, after)
		os.Exit(1)
	}
	if C.other_panics() != -7 {
		fmt.Fprintln(os.Stderr, "the other library does not catch its panic")
		os.Exit(1)
	}
}

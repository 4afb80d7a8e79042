// Package steps is the conversation of a program with the test that scans its memory.
package steps

import (
	"fmt"
	"io"
	"log"
	"os"
	"strconv"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// Read reads a secret of a length that an argument gives from standard input.
func Read(length string) *nomyo.SecretBytes {
	n := Number(length)
	secret, err := nomyo.ReadSecret(io.LimitReader(os.Stdin, int64(n)), n)
	Check(err)
	return secret
}

// Say prints a line, and waits for a line of input.
func Say(line string) {
	fmt.Println(line)
	_, err := os.Stdin.Read(make([]byte, 1))
	Check(err)
}

// Number is the number in an argument.
func Number(text string) int {
	n, err := strconv.Atoi(text)
	Check(err)
	return n
}

// Check ends the program if there is an error.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

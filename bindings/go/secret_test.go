package nomyo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func TestASecretServesAsAPIKey(t *testing.T) {
	key, err := nomyo.ReadSecret(strings.NewReader(environment(t, "NOMYO_TEST_API_KEY")), 100)
	if err != nil {
		t.Fatal(err)
	}
	client := withKeys(t, newClient(t, nomyo.WithAPIKey(key)))
	key.Close() // the library has copied it
	answer, err := client.Create(context.Background(), chat("x"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Close()
	if _, err := nomyo.NewClient(nomyo.WithAPIKey(key)); err != nomyo.ErrClosed {
		t.Errorf("closed: %v", err)
	}
}

func TestSecretsAreReadWhole(t *testing.T) {
	for file, text := range map[string]string{
		"": "", "1234567": "1234567", "12345678": "12345678", "123456\r\n": "123456", "\n": "", "1\n2\n": "1\n2",
	} {
		s, err := nomyo.ReadSecret(iotest.OneByteReader(strings.NewReader(file)), 8)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Use(func(b []byte) error {
			if string(b) != text {
				t.Errorf("%q", b)
			}
			return io.ErrNoProgress
		})
		if err != io.ErrNoProgress {
			t.Error(err)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := s.Use(func([]byte) error { return nil }); err != nomyo.ErrClosed {
			t.Errorf("used after Close: %v", err)
		}
	}
	if _, err := nomyo.ReadSecret(strings.NewReader("123456789"), 8); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("too long: %v", err)
	}
	if _, err := nomyo.ReadSecret(iotest.ErrReader(io.ErrClosedPipe), 8); err != io.ErrClosedPipe {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := nomyo.NewSecretBytes(-1); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("of negative length: %v", err)
	}
}

func TestNewSecretsAreZero(t *testing.T) {
	s, err := nomyo.NewSecretBytes(5000)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_ = s.Use(func(b []byte) error {
		if !bytes.Equal(b, make([]byte, 5000)) {
			t.Error("not zero")
		}
		b[4999] = 1
		return nil
	})
}

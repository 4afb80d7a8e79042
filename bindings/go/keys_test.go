package nomyo_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func publicKey(t *testing.T, client *nomyo.Client) string {
	t.Helper()
	pem, err := client.PublicKey(context.Background())
	if err != nil || !strings.HasPrefix(pem, "-----BEGIN PUBLIC KEY-----\n") {
		t.Fatalf("%q, %v", pem, err)
	}
	return pem
}

func TestKeysAreSavedLoadedAndRotated(t *testing.T) {
	client, dir := withKeys(t, newClient(t)), filepath.Join(t.TempDir(), "keys")
	first := publicKey(t, client)
	if err := client.SaveKeys(context.Background(), dir, []byte("short")); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("a short password: %v", err)
	}
	if err := client.SaveKeys(context.Background(), dir, []byte("a long password")); err != nil {
		t.Fatal(err)
	}
	other := newClient(t)
	private, public := filepath.Join(dir, "private_key.pem"), filepath.Join(dir, "public_key.pem")
	if err := other.LoadKeys(context.Background(), private, public, []byte("a wrong password")); !errors.Is(err, nomyo.ErrKey) {
		t.Errorf("a wrong password: %v", err)
	}
	if err := other.LoadKeys(context.Background(), private, public, []byte("a long password")); err != nil || publicKey(t, other) != first {
		t.Errorf("%v", err)
	}
	in := newClient(t, nomyo.WithKeyDir(dir), nomyo.WithKeyPassword("a long password"), nomyo.WithKeyRotation(0))
	if publicKey(t, in) != first {
		t.Error("the directory has another pair")
	}
	if err := in.RotateKeys(context.Background()); err != nil || publicKey(t, in) == first {
		t.Errorf("rotation: %v", err)
	}
	if err := in.GenerateKeys(context.Background(), dir, nil); !errors.Is(err, nomyo.ErrKey) {
		t.Errorf("generated over a pair: %v", err)
	}
	if err := in.SaveKeys(context.Background(), "", nil); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("saved nowhere: %v", err)
	}
}

func TestKeysComeFromMemoryAndGoThere(t *testing.T) {
	ctx, client := context.Background(), withKeys(t, newClient(t))
	exported, err := client.PrivateKeyPEM(ctx, []byte("a long password"))
	if err != nil {
		t.Fatal(err)
	}
	first := publicKey(t, client)
	client.Close() // the text outlives it
	other := newClient(t)
	err = exported.Use(func(text []byte) error {
		if !bytes.HasPrefix(text, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")) || text[len(text)-1] != '\n' {
			t.Errorf("%q", text)
		}
		return other.LoadKeysPEM(ctx, text, []byte(first), []byte("a long password"))
	})
	if err != nil || publicKey(t, other) != first {
		t.Errorf("%v", err)
	}
	exported.Close()
	if err := exported.Use(func([]byte) error { return nil }); err != nomyo.ErrClosed {
		t.Errorf("used after Close: %v", err)
	}
	if err := other.LoadKeysPEM(ctx, nil, nil, nil); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("nothing: %v", err)
	}
	if err := other.LoadKeysPEM(ctx, []byte(first), nil, nil); !errors.Is(err, nomyo.ErrKey) {
		t.Errorf("a public key: %v", err)
	}
	if s, err := other.PrivateKeyPEM(ctx, []byte("short")); !errors.Is(err, nomyo.ErrArgument) || s != nil {
		t.Errorf("a short password: %v", err)
	}
	if publicKey(t, other) != first {
		t.Error("a call that failed has changed the pair")
	}
}

func TestOnlyAPinnedServerKeyIsUsed(t *testing.T) {
	pem, fingerprint, err := newClient(t).ServerKey(context.Background())
	if err != nil || fingerprint != environment(t, "NOMYO_TEST_KEY_FINGERPRINT") || !strings.Contains(pem, "PUBLIC KEY") {
		t.Fatalf("%s %s, %v", pem, fingerprint, err)
	}
	wrong := strings.Repeat("ab", 32)
	client := withKeys(t, newClient(t, nomyo.WithServerKeyPin(wrong)))
	if _, err := client.Create(context.Background(), chat("x")); !errors.Is(err, nomyo.ErrPin) {
		t.Errorf("another pin: %v", err)
	}
	client = withKeys(t, newClient(t, nomyo.WithServerKeyPin(wrong), nomyo.WithServerKeyPin(fingerprint)))
	if _, err := client.Create(context.Background(), chat("x")); err != nil {
		t.Errorf("the pin: %v", err)
	}
}

func TestAServersKeyIsRemembered(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known_servers")
	client := withKeys(t, newClient(t, nomyo.WithKnownServers(file), nomyo.WithServerKeyTTL(0)))
	if _, err := client.Create(context.Background(), chat("x")); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(line, []byte(environment(t, "NOMYO_TEST_KEY_FINGERPRINT"))) {
		t.Fatalf("%s, %v", line, err)
	}
	other := strings.Replace(string(line), environment(t, "NOMYO_TEST_KEY_FINGERPRINT"), strings.Repeat("ab", 32), 1)
	if err := os.WriteFile(file, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Create(context.Background(), chat("x")); !errors.Is(err, nomyo.ErrPin) {
		t.Errorf("another key: %v", err)
	}
}

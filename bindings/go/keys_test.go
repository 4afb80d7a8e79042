package nomyo_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func publicKey(t *testing.T, client *nomyo.Client) string {
	t.Helper()
	pem, err := client.PublicKey()
	if err != nil || !strings.HasPrefix(pem, "-----BEGIN PUBLIC KEY-----\n") {
		t.Fatalf("%q, %v", pem, err)
	}
	return pem
}

func TestKeysAreSavedLoadedAndRotated(t *testing.T) {
	client, dir := withKeys(t, newClient(t)), filepath.Join(t.TempDir(), "keys")
	first := publicKey(t, client)
	if err := client.SaveKeys(dir, []byte("short")); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("a short password: %v", err)
	}
	if err := client.SaveKeys(dir, []byte("a long password")); err != nil {
		t.Fatal(err)
	}
	other := newClient(t)
	private, public := filepath.Join(dir, "private_key.pem"), filepath.Join(dir, "public_key.pem")
	if err := other.LoadKeys(private, public, []byte("a wrong password")); !errors.Is(err, nomyo.ErrKey) {
		t.Errorf("a wrong password: %v", err)
	}
	if err := other.LoadKeys(private, public, []byte("a long password")); err != nil || publicKey(t, other) != first {
		t.Errorf("%v", err)
	}
	in := newClient(t, nomyo.WithKeyDir(dir), nomyo.WithKeyPassword("a long password"), nomyo.WithKeyRotation(0))
	if publicKey(t, in) != first {
		t.Error("the directory has another pair")
	}
	if err := in.RotateKeys(); err != nil || publicKey(t, in) == first {
		t.Errorf("rotation: %v", err)
	}
	if err := in.GenerateKeys(dir, nil); !errors.Is(err, nomyo.ErrKey) {
		t.Errorf("generated over a pair: %v", err)
	}
	if err := in.SaveKeys("", nil); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("saved nowhere: %v", err)
	}
}

func TestOnlyAPinnedServerKeyIsUsed(t *testing.T) {
	pem, fingerprint, err := newClient(t).ServerKey()
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

func TestTheEnvironmentIsReadWhenAsked(t *testing.T) {
	t.Setenv("NOMYO_BASE_URL", environment(t, "NOMYO_TEST_BASE_URL"))
	t.Setenv("NOMYO_API_KEY", environment(t, "NOMYO_TEST_API_KEY"))
	ca := nomyo.WithCAFile(environment(t, "NOMYO_TEST_CA_FILE"))
	client, err := nomyo.NewClient(nomyo.WithEnvironment(), ca)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	answer, err := withKeys(t, client).Create(context.Background(), chat("x"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Close()
	t.Setenv("NOMYO_BASE_URL", "nowhere")
	if _, err := nomyo.NewClient(nomyo.WithEnvironment(), ca); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("a bad URL: %v", err)
	}
}

func TestALoggerIsTold(t *testing.T) {
	plain := nomyo.WithBaseURL(environment(t, "NOMYO_TEST_PLAIN_BASE_URL"))
	for level, want := range map[slog.Level]bool{slog.LevelWarn: true, slog.LevelError: false, slog.LevelError + 1: false} {
		var said bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: level}))
		newClient(t, plain, nomyo.WithAllowHTTP(), nomyo.WithLogger(logger)).Close()
		if strings.Contains(said.String(), "level=WARN") != want {
			t.Errorf("at %v: %q", level, said.String())
		}
	}
	panicking := slog.New(panicHandler{})
	newClient(t, plain, nomyo.WithAllowHTTP(), nomyo.WithLogger(panicking)).Close()
}

type panicHandler struct{ slog.Handler }

func (panicHandler) Enabled(context.Context, slog.Level) bool { return true }

func (panicHandler) Handle(context.Context, slog.Record) error { panic("mine") }

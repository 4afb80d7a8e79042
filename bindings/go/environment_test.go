package nomyo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// everyVariable is what WithEnvironment reads, with values that no client would work with.
func everyVariable(t *testing.T) map[string]string {
	missing := filepath.Join(t.TempDir(), "missing")
	variables := map[string]string{
		"NOMYO_API_KEY": "wrong", "NOMYO_BASE_URL": "nowhere", "NOMYO_KEY_DIR": missing, "NOMYO_KEY_PASSWORD": "wrong password",
		"NOMYO_KEY_GROUP_READ": "wrong",
		"NOMYO_SERVER_KEY_PIN": "wrong", "NOMYO_TLS_PIN": "wrong", "SSL_CERT_FILE": missing, "SSL_CERT_DIR": missing,
		"NO_PROXY": "", "no_proxy": "",
	}
	for _, name := range []string{"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		variables[name] = "ftp://nowhere" // an error for a client that reads it
	}
	return variables
}

func TestNothingIsReadFromTheEnvironmentUnlessAsked(t *testing.T) {
	for name, value := range everyVariable(t) {
		t.Setenv(name, value)
	}
	if _, _, err := newClient(t, nomyo.WithMaxRetries(0)).ServerKey(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestEachVariableIsReadWhenAsked(t *testing.T) {
	for name, value := range map[string]string{
		"NOMYO_API_KEY": "wrong", "NOMYO_BASE_URL": "nowhere", "NOMYO_KEY_PASSWORD": "without a directory",
		"NOMYO_KEY_GROUP_READ": "wrong",
		"NOMYO_SERVER_KEY_PIN": "wrong", "NOMYO_TLS_PIN": "wrong", "HTTPS_PROXY": "ftp://nowhere", "https_proxy": "ftp://nowhere",
		"ALL_PROXY": "ftp://nowhere", "all_proxy": "ftp://nowhere", "SSL_CERT_FILE": filepath.Join(t.TempDir(), "missing"),
	} {
		t.Run(name, func(t *testing.T) {
			variables := map[string]string{
				"NOMYO_BASE_URL": environment(t, "NOMYO_TEST_BASE_URL"), "NOMYO_API_KEY": environment(t, "NOMYO_TEST_API_KEY"),
				"SSL_CERT_FILE": environment(t, "NOMYO_TEST_CA_FILE"),
			}
			for name, value := range variables {
				t.Setenv(name, value)
			}
			if err := chatByEnvironment(t); err != nil {
				t.Errorf("without it: %v", err)
			}
			t.Setenv(name, value)
			if err := chatByEnvironment(t); err == nil {
				t.Error("it has no effect")
			}
		})
	}
	pins := "NOMYO_SERVER_KEY_PIN"
	t.Setenv(pins, strings.Repeat("ab", 32)+","+environment(t, "NOMYO_TEST_KEY_FINGERPRINT"))
	if err := chatByEnvironment(t); err != nil {
		t.Errorf("several pins: %v", err)
	}
	t.Setenv(pins, strings.Repeat("ab", 32))
	if err := chatByEnvironment(t); !errors.Is(err, nomyo.ErrPin) {
		t.Errorf("another pin: %v", err)
	}
}

func chatByEnvironment(t *testing.T) error {
	t.Helper()
	client, err := nomyo.NewClient(nomyo.WithEnvironment(), nomyo.WithMaxRetries(0))
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := withKeys(t, client).Create(context.Background(), chat("x"))
	if err != nil {
		return err
	}
	return answer.Close()
}

func TestTheProxyOfTheEnvironmentIsUsedWhenAsked(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("NO_PROXY", "")
	asked := []nomyo.Option{nomyo.WithEnvironment(), nomyo.WithMaxRetries(0)}
	if _, _, err := newClient(t, asked...).ServerKey(context.Background()); !errors.Is(err, nomyo.ErrConnection) {
		t.Errorf("through the environment's proxy: %v", err)
	}
	if _, _, err := newClient(t, append(asked, nomyo.WithProxy(""))...).ServerKey(context.Background()); err != nil {
		t.Errorf("overridden: %v", err)
	}
	t.Setenv("NO_PROXY", "127.0.0.1,localhost")
	if _, _, err := newClient(t, asked...).ServerKey(context.Background()); err != nil {
		t.Errorf("not for this server: %v", err)
	}
}

// TestNewClientBesideSetenv runs in a process of its own, since what it looks for is a crash: a read of the C library's
// environment while os.Setenv, which changes it too, moves it.
func TestNewClientBesideSetenv(t *testing.T) {
	const here = "NOMYO_TEST_SETENV"
	if os.Getenv(here) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestNewClientBesideSetenv$", "-test.count=1")
		child.Env = append(os.Environ(), here+"=1")
		if said, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%.2000s", err, said)
		}
		return
	}
	var done atomic.Bool
	var group sync.WaitGroup
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range 250 {
				client, err := nomyo.NewClient(options(t)...)
				if err != nil {
					t.Error(err)
					return
				}
				if i%50 == 0 { // the first use of TLS and of the trust store
					_, _, err = client.ServerKey(context.Background())
				}
				if client.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	go func() {
		defer done.Store(true)
		group.Wait()
	}()
	for i := 0; !done.Load(); i++ { // each new name moves the environment
		os.Setenv(fmt.Sprint("NOMYO_TEST_NUMBER_", i), "x")
	}
}

package nomyo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// environment is a variable that tests/with_endpoint.sh sets.
func environment(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: run this under tests/with_endpoint.sh", name)
	}
	return value
}

// options are those of a client of the endpoint.
func options(t testing.TB, more ...nomyo.Option) []nomyo.Option {
	t.Helper()
	return append([]nomyo.Option{
		nomyo.WithBaseURL(environment(t, "NOMYO_TEST_BASE_URL")),
		nomyo.WithCAFile(environment(t, "NOMYO_TEST_CA_FILE")),
		nomyo.WithAPIKey(environment(t, "NOMYO_TEST_API_KEY")),
	}, more...)
}

func newClient(t testing.TB, more ...nomyo.Option) *nomyo.Client {
	t.Helper()
	client, err := nomyo.NewClient(options(t, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// withKeys gives a client the key pair of the fixtures, which spares a test the generation of one.
func withKeys(t testing.TB, client *nomyo.Client) *nomyo.Client {
	t.Helper()
	if err := client.LoadKeys(context.Background(), privateFixture(t, "client2048_private.pem"), "", nil); err != nil {
		t.Fatal(err)
	}
	return client
}

var shared sync.Map

// sharedClient is one that no test closes or changes.
func sharedClient(t testing.TB) *nomyo.Client {
	t.Helper()
	client, err := nomyo.NewClient(options(t, nomyo.WithMaxRetries(0))...)
	if err != nil {
		t.Fatal(err)
	}
	first, loaded := shared.LoadOrStore("client", client)
	if loaded {
		client.Close()
	} else {
		withKeys(t, client)
	}
	return first.(*nomyo.Client)
}

func fixture(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../tests/fixtures/protocol", path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// privateFixture is a key file of the fixtures, copied to where nobody else can read it.
func privateFixture(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, fixture(t, "keys/"+name), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// chat is a request that says text, with other members as name, JSON, name, JSON...
func chat(text string, members ...string) nomyo.ChatRequest {
	extra := map[string]json.RawMessage{}
	for i := 0; i+1 < len(members); i += 2 {
		extra[members[i]] = json.RawMessage(members[i+1])
	}
	return nomyo.ChatRequest{Model: "echo", Messages: []nomyo.Message{{Role: "user", Content: text}}, Extra: extra}
}

// ask expects an answer.
func ask(t testing.TB, request nomyo.ChatRequest, opts ...nomyo.CallOption) *nomyo.Response {
	t.Helper()
	answer, err := sharedClient(t).Create(context.Background(), request, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Close() })
	return answer
}

// refused expects an *Error.
func refused(t testing.TB, err error) *nomyo.Error {
	t.Helper()
	var e *nomyo.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *Error: %v", err)
	}
	return e
}

// panics is what f panics with.
func panics(f func()) (with any) {
	defer func() { with = recover() }()
	f()
	return nil
}

// control speaks to the endpoint itself; an empty body is a GET.
func control(t testing.TB, path, body string) []byte {
	t.Helper()
	url := environment(t, "NOMYO_TEST_PLAIN_BASE_URL") + "/control/" + path
	answer, err := http.Get(url)
	if body != "" {
		answer.Body.Close()
		answer, err = http.Post(url, "application/json", strings.NewReader(body))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("%s: %d %s, %v", path, answer.StatusCode, said, err)
	}
	return said
}

func TestTheHeaderIsTheLibrarys(t *testing.T) {
	ours, err := os.ReadFile("nomyo.h")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile("../../include/nomyo.h")
	if err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("bindings/go/nomyo.h is not include/nomyo.h (%v): make go-lib", err)
	}
}

func TestVersion(t *testing.T) {
	header, err := os.ReadFile("nomyo.h")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(nomyo.Version(), ".")
	for i, name := range []string{"MAJOR", "MINOR", "PATCH"} {
		if len(parts) != 3 || !bytes.Contains(header, []byte("#define NOMYO_VERSION_"+name+" "+parts[i]+"\n")) {
			t.Errorf("Version() = %v, which is not the header's", parts)
		}
	}
}

func TestMemoryReport(t *testing.T) {
	newClient(t, nomyo.WithMemoryPolicy(nomyo.MemoryPrefer))
	m := nomyo.Memory()
	if m.Policy != nomyo.MemoryPrefer || m.Limit == 0 || m.Mapped == 0 || m.Locked+m.Refused > m.Mapped {
		t.Errorf("%+v", m)
	}
	if (m.Level == nomyo.MemoryFull) != (m.Refused == 0) || !m.DumpExcluded || !m.ForkZero {
		t.Errorf("%+v", m)
	}
}

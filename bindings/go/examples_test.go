package nomyo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// examples is a directory with the programs of examples/go.
func examples(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./...")
	build.Dir = "../../examples/go"
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return dir
}

func run(program, input string, environment []string, arguments ...string) string {
	command := exec.Command(program, arguments...)
	command.Stdin = strings.NewReader(input)
	command.Env = environment
	said, _ := command.CombinedOutput() // what it said tells whether it succeeded
	return string(said)
}

func TestExamplesTakeTheServerAndTheKeyFromTheEnvironment(t *testing.T) {
	dir := examples(t)
	programs, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	expected := map[string]string{
		"chat": "Hello", "parallel": "Hello", "tools": "Hello", "pin": "-pin " + environment(t, "NOMYO_TEST_KEY_FINGERPRINT"),
		"attestation": "the answer is withheld", // because this endpoint has no TPM
	}
	url, key := "NOMYO_BASE_URL="+environment(t, "NOMYO_TEST_BASE_URL"), "NOMYO_API_KEY="+environment(t, "NOMYO_TEST_API_KEY")
	ca := "SSL_CERT_FILE=" + environment(t, "NOMYO_TEST_CA_FILE")
	for _, file := range programs {
		t.Run(file.Name(), func(t *testing.T) {
			want, listed := expected[file.Name()]
			if !listed {
				t.Fatal("add what this program says to the test")
			}
			program := filepath.Join(dir, file.Name())
			if said := run(program, "Hello", []string{url, key, ca}); !strings.Contains(said, want) {
				t.Errorf("%q", said)
			}
			nowhere := "NOMYO_BASE_URL=nowhere"
			if said := run(program, "Hello", []string{nowhere, key, ca}); !strings.Contains(said, "base_url") {
				t.Errorf("with %s: %q", nowhere, said)
			}
			flag := environment(t, "NOMYO_TEST_BASE_URL")
			if said := run(program, "Hello", []string{"NOMYO_BASE_URL=https://127.0.0.1:1", key, ca}, "-url", flag); !strings.Contains(said, want) {
				t.Errorf("the flag does not win: %q", said)
			}
			if said := run(program, "Hello", []string{url, "NOMYO_API_KEY=wrong", ca}); file.Name() != "pin" && !strings.Contains(said, "API key") {
				t.Errorf("with a wrong key: %q", said)
			}
		})
	}
}

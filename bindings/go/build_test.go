package nomyo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// withoutLibrary is a copy of the package that has neither nomyo.h nor libnomyo.a.
func withoutLibrary(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, pattern := range []string{"*.go", "*.h", "go.mod", "lib/*/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err == nil {
				err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
			}
			if err == nil && name != "nomyo.h" {
				err = os.WriteFile(filepath.Join(dir, name), content, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// failing is what a command says, which must fail.
func failing(t *testing.T, dir string, environment []string, name string, arguments ...string) (said string) {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Dir, command.Env = dir, append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	if err == nil {
		t.Errorf("%v %v succeeds", environment, command)
	}
	return string(output)
}

// onlyError tells whether a compiler said one error, and it has the sentence.
func onlyError(said, sentence string) bool {
	errors := 0
	for _, line := range strings.Split(said, "\n") {
		if strings.HasPrefix(line, "./") {
			errors++
		}
	}
	return errors == 1 && strings.Contains(said, sentence)
}

func TestWithoutCgoTheBuildSaysWhatToDo(t *testing.T) {
	said := failing(t, ".", []string{"CGO_ENABLED=0"}, "go", "build", ".")
	if !onlyError(said, "nomyo needs cgo: install a C compiler such as gcc, and build with CGO_ENABLED=1") {
		t.Error(said)
	}
}

func TestWithoutTheLibraryTheBuildSaysWhatToDo(t *testing.T) {
	said := failing(t, withoutLibrary(t), nil, "go", "build", ".")
	if !onlyError(said, "run `make go-lib` in libnomyo's checkout, or build with -tags nomyo_dynamic") {
		t.Error(said)
	}
}

func TestWithTheOtherCLibraryTheBuildSaysWhatToDo(t *testing.T) {
	if _, err := exec.LookPath("musl-gcc"); err != nil {
		t.Skip("musl-gcc is missing: install Debian's package musl-tools")
	}
	said := failing(t, ".", []string{"CC=musl-gcc"}, "go", "build", ".")
	if !onlyError(said, "needs glibc, and this C compiler is for another C library: build with -tags musl if that is musl") {
		t.Error(said)
	}
	said = failing(t, withoutLibrary(t), []string{"CC=musl-gcc"}, "go", "build", "-tags", "musl", ".")
	if !onlyError(said, "run `make go-lib-musl` in libnomyo's checkout, or build with -tags nomyo_dynamic") {
		t.Error(said)
	}
	dir := withoutLibrary(t)
	for _, name := range []string{"nomyo.h", "lib/linux_" + runtime.GOARCH + "_musl/libnomyo.a"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#include <stdint.h>\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	said = failing(t, dir, nil, "go", "build", "-tags", "musl", ".")
	if !strings.Contains(said, "needs musl, and this C compiler is for glibc: set CC to a compiler for musl such as musl-gcc") {
		t.Error(said)
	}
}

func TestTheLibraryIsNotBuiltForAnotherMachine(t *testing.T) {
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	path := t.TempDir() // with a cargo that builds nothing
	if err := os.WriteFile(filepath.Join(path, "cargo"), []byte("#!/bin/sh\necho cargo runs\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	path = "PATH=" + path + ":" + os.Getenv("PATH")
	for _, environment := range []string{"GOARCH=" + other, "GOOS=freebsd"} {
		said := failing(t, "../..", []string{path, "MAKEFLAGS=", environment}, "make", "go-lib")
		if !strings.Contains(said, "cannot be built on this machine: run this on such a machine, or unset GOOS and GOARCH") ||
			strings.Contains(said, "cargo runs") {
			t.Errorf("%s: %s", environment, said)
		}
	}
	if said := failing(t, "../..", []string{path, "MAKEFLAGS="}, "make", "go-lib"); !strings.Contains(said, "cargo runs") {
		t.Errorf("for this machine: %s", said)
	}
}

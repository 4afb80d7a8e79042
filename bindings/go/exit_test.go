package nomyo_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// built is the program testdata/NAME: a test binary cannot return from its main function.
func built(t *testing.T, name string, flags ...string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), name)
	arguments := append(append([]string{"build", "-o", program}, flags...), "./testdata/"+name)
	if said, err := exec.Command("go", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return program
}

func TestAProgramEndsWellWhileGoroutinesAreInCalls(t *testing.T) {
	program, key := built(t, "exit"), privateFixture(t, "client2048_private.pem")
	serverKey, err := filepath.Abs("../../tests/fixtures/protocol/keys/server_public.pem")
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"return", "os.Exit"} {
		t.Run(way, func(t *testing.T) {
			var mu sync.Mutex
			var sealed, answered int
			var group sync.WaitGroup
			places := make(chan struct{}, 4)
			for range 20 {
				group.Add(1)
				places <- struct{}{}
				go func() {
					defer func() { <-places; group.Done() }()
					moment := time.Duration(rand.Int63n(int64(time.Second)))
					ctx, cancel := context.WithTimeout(context.Background(), moment+20*time.Second)
					defer cancel()
					child := exec.CommandContext(ctx, program, way, moment.String(), key, serverKey)
					var problems bytes.Buffer
					child.Stderr = &problems
					said, err := child.Output()
					if err != nil || problems.Len() > 0 {
						t.Errorf("ended after %v: %v, %v\n%.2000s", moment, err, ctx.Err(), problems.Bytes())
						return
					}
					var s, a int
					if _, err := fmt.Sscan(string(said), &s, &a); err != nil {
						t.Errorf("%q: %v", said, err)
					}
					mu.Lock()
					defer mu.Unlock()
					sealed, answered = sealed+s, answered+a
				}()
			}
			group.Wait()
			t.Logf("%d sealed, %d answered", sealed, answered)
			if sealed == 0 { // an answer may come too late for all of them, if the machine is busy
				t.Error("no child did any work")
			}
		})
	}
}

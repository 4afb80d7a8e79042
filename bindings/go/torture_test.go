package nomyo_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// torture is what all rounds share: one sealed request and its answer, so that a round costs no network.
type torture struct {
	*testing.T
	sealed *nomyo.Sealed
	answer []byte
	whole  string
	late   sync.WaitGroup // what rounds have handed to other goroutines
}

// ways are the ways in which a client or a response comes to its end.
var ways = []func(s *torture, c io.Closer, use func()){
	func(_ *torture, c io.Closer, _ func()) { c.Close() },
	func(_ *torture, c io.Closer, use func()) { use(); c.Close(); c.Close(); use() },
	func(_ *torture, _ io.Closer, use func()) { use() }, // dropped
	func(s *torture, c io.Closer, use func()) { s.elsewhere(func() { use(); c.Close() }) },
	func(s *torture, _ io.Closer, use func()) { s.elsewhere(use) }, // dropped there
	func(s *torture, c io.Closer, use func()) { s.elsewhere(use); c.Close(); use() },
	func(s *torture, c io.Closer, use func()) {
		s.elsewhere(func() { c.Close() })
		use()
		runtime.Gosched()
		c.Close()
	},
}

func (s *torture) elsewhere(f func()) {
	s.late.Add(1)
	go func() {
		defer s.late.Done()
		f()
	}()
}

// round makes a client and a response, and ends them as its number says: each way of the one with each way of the other,
// in either order or both at once.
func (s *torture) round(i int) {
	client, err := nomyo.NewClient()
	if err != nil {
		s.Error(err)
		return
	}
	response, err := client.Open(s.sealed, s.answer)
	if err != nil {
		s.Error(err)
		return
	}
	end := ways[i/len(ways)%len(ways)]
	endClient := func() { end(s, client, func() { s.useClient(client) }) }
	endResponse := func() { ways[i%len(ways)](s, response, func() { s.useResponse(response) }) }
	switch i / len(ways) / len(ways) % 3 {
	case 0:
		endClient()
		endResponse()
	case 1:
		endResponse()
		endClient()
	case 2:
		s.elsewhere(endClient)
		endResponse()
	}
}

func (s *torture) useClient(client *nomyo.Client) {
	_, err := client.CreateJSON(context.Background(), []byte("[]")) // which the library refuses
	if err != nomyo.ErrClosed && !errors.Is(err, nomyo.ErrArgument) {
		s.Errorf("client: %v", err)
	}
}

func (s *torture) useResponse(response *nomyo.Response) {
	err := response.ViewJSON(func(json []byte) error {
		if !strings.HasPrefix(string(json), s.whole) {
			s.Errorf("response: %q", json)
		}
		return nil
	})
	if err != nil && err != nomyo.ErrClosed {
		s.Errorf("response: %v", err)
	}
}

// TestTorture drops and closes clients and responses 100 000 times in every order, from every goroutine.
func TestTorture(t *testing.T) {
	rounds := int64(100_000)
	if testing.Short() {
		rounds = 20_000
	}
	client := withKeys(t, newClient(t))
	sealed, err := client.Seal(context.Background(), fixture(t, "keys/server_public.pem"), []byte(`{"messages":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer sealed.Close()
	client.Close()
	s := &torture{T: t, sealed: sealed, answer: fixture(t, "lenient/len_13_rsa2048_client.bin")}
	first, err := newClient(t).Open(sealed, s.answer)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(first.JSON())
	s.whole = whole[:strings.Index(whole, `"_metadata"`)] // which holds the id and the time of each opening
	if len(s.whole) < 100 {
		t.Fatalf("too little to compare: %s", whole)
	}
	first.Close()

	s.rounds(2_000) // so that the library has the arenas that so many threads need
	s.collect()
	before := nomyo.Memory().Mapped
	s.rounds(rounds)
	for range 100 {
		s.collect()
		if nomyo.Memory().Mapped < before+2<<20 {
			return
		}
	}
	t.Errorf("what was dropped stays: %d bytes before, now %+v", before, nomyo.Memory())
}

// rounds makes that many, by eight goroutines.
func (s *torture) rounds(n int64) {
	var done atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := done.Add(1); i <= n && !s.Failed(); i = done.Add(1) {
				s.round(int(i))
			}
		}()
	}
	group.Wait()
	s.late.Wait()
}

// collect lets the garbage collector find what was dropped, and the finalizers, which have a goroutine of their own, free it.
func (s *torture) collect() {
	for range 5 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
}

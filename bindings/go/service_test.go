package nomyo_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// service is the program testdata/service, which is running.
type service struct {
	*testing.T
	url    string
	child  *exec.Cmd
	says   *bufio.Reader
	errors bytes.Buffer
}

func startService(t *testing.T) *service {
	t.Helper()
	s := &service{T: t, child: exec.Command(built(t, "service", "-race"), privateFixture(t, "client2048_private.pem"))}
	s.child.Env = append(os.Environ(), "NOMYO_BASE_URL="+environment(t, "NOMYO_TEST_BASE_URL"),
		"NOMYO_API_KEY="+environment(t, "NOMYO_TEST_API_KEY"), "SSL_CERT_FILE="+environment(t, "NOMYO_TEST_CA_FILE"))
	s.child.Stderr = &s.errors
	output, err := s.child.StdoutPipe()
	if err == nil {
		err = s.child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.child.Process.Kill() })
	s.says = bufio.NewReader(output)
	address, err := s.says.ReadString('\n')
	if err != nil {
		t.Fatalf("the service does not start: %v\n%s", err, &s.errors)
	}
	s.url = "http://" + strings.TrimSpace(address)
	return s
}

// read is the body of a response, which must be 200.
func (s *service) read(response *http.Response, err error) []byte {
	if err != nil {
		s.Error(err)
		return nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		s.Errorf("%s: %s %.300s, %v", response.Request.URL, response.Status, body, err)
	}
	return body
}

// ask expects the service to give the request's text back.
func (s *service) ask(request nomyo.ChatRequest) {
	body, err := json.Marshal(request)
	if err != nil {
		s.Error(err)
		return
	}
	got := s.read(http.Post(s.url+"/ask", "application/json", bytes.NewReader(body)))
	if want := request.Messages[0].Content; string(got) != want {
		s.Errorf("%q is answered with %.300q", want, got)
	}
}

// profile is one of the service's profiles, and how many samples it has.
func (s *service) profile(name string) (text []byte, samples int) {
	zipped, err := gzip.NewReader(bytes.NewReader(s.read(http.Get(s.url + "/debug/pprof/" + name))))
	if err == nil {
		text, err = io.ReadAll(zipped)
	}
	if err != nil {
		s.Errorf("%s: %v", name, err)
	}
	for rest := text; len(rest) > 0; { // a message of protocol buffers: field 2 is a sample
		key, n := binary.Uvarint(rest)
		value, m := binary.Uvarint(rest[max(n, 0):])
		size := max(n, 0) + max(m, 0)
		if key&7 == 2 {
			size += int(value)
		}
		if n <= 0 || m <= 0 || key&7 != 0 && key&7 != 2 || size > len(rest) {
			s.Fatalf("%s: not a profile, %d bytes before its end", name, len(rest))
		}
		if key>>3 == 2 {
			samples++
		}
		rest = rest[size:]
	}
	return text, samples
}

func TestAService(t *testing.T) {
	s := startService(t)
	t.Run("is profiled under load", func(t *testing.T) { s.on(t).underLoad() })
	t.Run("shuts down without losing a request or a goroutine", func(t *testing.T) { s.on(t).shutDown() })
}

func (s *service) on(t *testing.T) *service {
	s.T = t
	return s
}

// underLoad takes profiles while 50 goroutines send requests.
func (s *service) underLoad() {
	profiled := make(chan struct{})
	var load sync.WaitGroup
	defer load.Wait()
	defer close(profiled)
	for i := range 50 {
		load.Add(1)
		go func() {
			defer load.Done()
			for j := 0; ; j++ {
				s.ask(chat(strings.Repeat(fmt.Sprintf("%d/%d ", i, j), 50)))
				select {
				case <-profiled:
					return
				default:
				}
			}
		}()
	}
	const create, call = "_Cfunc_nomyo_create", "bindings/go.(*Client).CreateJSON"
	cpu, samples := s.profile("profile?seconds=2")
	if samples == 0 || !bytes.Contains(cpu, []byte(create)) { // time in C counts for the Go function that called it
		s.Errorf("the CPU profile has %d samples, and %s: %v", samples, create, bytes.Contains(cpu, []byte(create)))
	}
	goroutines, samples := s.profile("goroutine")
	if samples == 0 || !bytes.Contains(goroutines, []byte(call)) {
		s.Errorf("the goroutine profile has %d samples, and %s: %v", samples, call, bytes.Contains(goroutines, []byte(call)))
	}
	if _, samples = s.profile("heap"); samples == 0 {
		s.Error("the heap profile is empty")
	}
}

// shutDown sends SIGTERM while 50 requests are in flight.
func (s *service) shutDown() {
	before := requests(s.T)
	var inFlight sync.WaitGroup
	const calls = 50
	for i := range calls {
		inFlight.Add(1)
		go func() {
			defer inFlight.Done()
			s.ask(chat(fmt.Sprint("request ", i), "nomyo_test", `{"delay_before_headers_ms":1000}`))
		}()
	}
	for requests(s.T) < before+calls && !s.Failed() {
		time.Sleep(10 * time.Millisecond)
	}
	if err := s.child.Process.Signal(syscall.SIGTERM); err != nil {
		s.Error(err)
	}
	inFlight.Wait()
	counts, _ := s.says.ReadString('\n')
	if err := s.child.Wait(); err != nil || s.errors.Len() > 0 {
		s.Errorf("%v\n%.3000s", err, &s.errors)
	}
	var first, last int
	if n, err := fmt.Sscan(counts, &first, &last); n != 2 || first == 0 || last > first {
		s.Errorf("%d goroutines before, %d after, %v", first, last, err)
	}
}

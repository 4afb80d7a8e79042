package nomyo_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

func chain(t *testing.T) []nomyo.TLSCertificate {
	t.Helper()
	chain, err := newClient(t).TLSChain(context.Background())
	if err != nil || len(chain) < 2 {
		t.Fatalf("%+v, %v", chain, err)
	}
	return chain
}

func TestTheChainIsToldFromLeafToRoot(t *testing.T) {
	chain := chain(t)
	for i, certificate := range chain {
		role := "intermediate"
		if i == 0 {
			role = "leaf"
		} else if i == len(chain)-1 {
			role = "root"
		}
		digest, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(certificate.SHA256, "sha256/"))
		if certificate.Role != role || err != nil || len(digest) != 32 || certificate.Subject == "" {
			t.Errorf("%d: %+v, %v", i, certificate, err)
		}
	}
	plain := newClient(t, nomyo.WithBaseURL(environment(t, "NOMYO_TEST_PLAIN_BASE_URL")), nomyo.WithAllowHTTP())
	if chain, err := plain.TLSChain(context.Background()); !errors.Is(err, nomyo.ErrArgument) || chain != nil {
		t.Errorf("without TLS: %+v, %v", chain, err)
	}
}

func TestEachCertificateOfTheChainCanBePinned(t *testing.T) {
	wrong := nomyo.WithTLSPin(strings.Repeat("ab", 32))
	for _, certificate := range chain(t) {
		digest, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(certificate.SHA256, "sha256/"))
		if err != nil {
			t.Fatal(err)
		}
		for _, pin := range []string{certificate.SHA256, hex.EncodeToString(digest)} {
			client := withKeys(t, newClient(t, wrong, nomyo.WithTLSPin(pin)))
			answer, err := client.Create(context.Background(), chat("x"))
			if err != nil {
				t.Errorf("%s %s: %v", certificate.Role, pin, err)
				continue
			}
			answer.Close()
		}
	}
}

func TestNothingIsSentToAServerWithoutThePin(t *testing.T) {
	right := chain(t)[0].SHA256
	before := control(t, "stats", "")
	client := withKeys(t, newClient(t, nomyo.WithTLSPin(strings.Repeat("ab", 32))))
	for name, call := range map[string]func() error{
		"Create":    func() error { _, err := client.Create(context.Background(), chat("x")); return err },
		"ServerKey": func() error { _, _, err := client.ServerKey(context.Background()); return err },
		"WarmUp":    func() error { return client.WarmUp(context.Background()) },
	} {
		err := call()
		if e := refused(t, err); e.Status != nomyo.ErrPin || e.Sent != nomyo.SentNo || !strings.Contains(e.Message, right) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if after := control(t, "stats", ""); string(after) != string(before) {
		t.Errorf("the server has seen something: %s, then %s", before, after)
	}
	for name, options := range map[string][]nomyo.Option{
		"no fingerprint": {nomyo.WithTLSPin("abc")},
		"a NUL":          {nomyo.WithTLSPin(right + "\x00")},
		"http":           {nomyo.WithTLSPin(right), nomyo.WithBaseURL("http://127.0.0.1"), nomyo.WithAllowHTTP()},
	} {
		if client, err := nomyo.NewClient(options...); !errors.Is(err, nomyo.ErrArgument) || client != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThePostQuantumShareCanBeSwitchedOff(t *testing.T) {
	const x25519MLKEM768 = tls.CurveID(4588)
	for name, c := range map[string]struct {
		options []nomyo.Option
		offered bool
	}{
		"default": {nil, true},
		"on":      {[]nomyo.Option{nomyo.WithPostQuantum(true)}, true},
		"off":     {[]nomyo.Option{nomyo.WithPostQuantum(false)}, false},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		offered := make(chan []tls.CurveID, 1)
		go func() {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			defer connection.Close()
			_ = tls.Server(connection, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				offered <- hello.SupportedCurves
				return nil, errors.New("seen")
			}}).Handshake()
		}()
		client := newClient(t, append(c.options, nomyo.WithBaseURL("https://"+listener.Addr().String()), nomyo.WithMaxRetries(0))...)
		_, _, err = client.ServerKey(context.Background())
		listener.Close()
		if groups := <-offered; slices.Contains(groups, x25519MLKEM768) != c.offered || len(groups) == 0 {
			t.Errorf("%s: offers %v (%v)", name, groups, err)
		}
	}
}

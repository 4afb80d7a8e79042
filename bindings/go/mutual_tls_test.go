package nomyo_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// issued is a certificate and its key: an authority's, if signer is nil.
func issued(t *testing.T, name string, signer *tls.Certificate) (certificate tls.Certificate, certPEM, keyPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: signer == nil, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, by := template, any(key)
	if signer != nil {
		parent, by = signer.Leaf, signer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	if certificate, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	if certificate.Leaf, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return certificate, certPEM, keyPEM
}

func TestAServerThatAsksForAClientCertificateGetsIt(t *testing.T) {
	authority, authorityPEM, _ := issued(t, "authority", nil)
	served, _, _ := issued(t, "server", &authority)
	_, certificate, key := issued(t, "patient portal", &authority)
	trusted := x509.NewCertPool()
	trusted.AddCert(authority.Leaf)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Shown", r.TLS.PeerCertificates[0].Subject.CommonName)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{served}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted}
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()

	ask := func(options ...nomyo.Option) *nomyo.Error {
		t.Helper()
		options = append(options, nomyo.WithBaseURL(server.URL), nomyo.WithCAPEM(authorityPEM), nomyo.WithMaxRetries(0))
		c, err := nomyo.NewClient(options...)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.CreateJSON(context.Background(), []byte(`{"messages":[]}`))
		var failed *nomyo.Error
		if !errors.As(err, &failed) {
			t.Fatalf("%v", err)
		}
		return failed
	}

	folder := t.TempDir()
	certificateFile, keyFile := filepath.Join(folder, "own.pem"), filepath.Join(folder, "own_key.pem")
	if err := errors.Join(os.WriteFile(certificateFile, certificate, 0o600), os.WriteFile(keyFile, key, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, own := range []nomyo.Option{
		nomyo.WithClientCertificatePEM(certificate, key), nomyo.WithClientCertificate(certificateFile, keyFile),
	} {
		if failed := ask(own); !errors.Is(failed, nomyo.ErrAuthentication) || failed.Header("X-Shown") != "patient portal" {
			t.Errorf("%v, %q", failed, failed.Headers())
		}
	}
	if failed := ask(); !errors.Is(failed, nomyo.ErrConnection) || !strings.Contains(failed.Message, "client certificate") {
		t.Errorf("without a certificate: %v", failed)
	}
	_, _, other := issued(t, "other", &authority)
	if _, err := nomyo.NewClient(nomyo.WithClientCertificatePEM(certificate, other)); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("another certificate's key: %v", err)
	}
	if _, err := nomyo.NewClient(nomyo.WithCAPEM(key)); !errors.Is(err, nomyo.ErrArgument) {
		t.Errorf("no certificate of an authority: %v", err)
	}
}

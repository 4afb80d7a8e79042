package nomyo

// #include "library.h"
import "C"

import (
	"context"
	"encoding/json"
)

// TLSCertificate is one certificate of the chain that the server proved itself with.
type TLSCertificate struct {
	Role    string `json:"role"`    // "leaf", "intermediate" or "root"
	SHA256  string `json:"sha256"`  // the fingerprint of its public key, which [WithTLSPin] takes
	Subject string `json:"subject"` // its name, such as "CN=api.nomyo.ai"
}

// TLSChain is the verified certificate chain of the connection to the server, the leaf first. The call connects if there is
// no connection yet, and sends no request. ctx and the client's timeout bound the call. The error is ErrArgument for a
// server with an http:// URL.
func (c *Client) TLSChain(ctx context.Context) (chain []TLSCertificate, err error) {
	var text *C.nomyo_text
	err = c.during(ctx, func(p *C.nomyo_client, err **C.nomyo_error) C.int32_t {
		return C.nomyo_client_tls_chain(p, &text, err)
	})
	list := takeText(text)
	if err != nil {
		return nil, err
	}
	return chain, json.Unmarshal([]byte(list), &chain)
}

// WithTLSPin requires that a certificate of the server's verified chain (the leaf, an intermediate or the root) has this
// fingerprint: the SHA-256 of its SubjectPublicKeyInfo, as "sha256/" and base64 or as 64 hexadecimal digits. Give the
// option several times for several fingerprints; one match is enough. [Client.TLSChain] shows the fingerprints.
//
// The pin is checked in the TLS handshake, before the API key or a prompt leaves. Otherwise the error is ErrPin. Through an
// HTTP proxy the option pins the server, not the proxy. NewClient refuses it for an http:// URL.
//
// A TLS pin is the only protection of answers against an interceptor that has a certificate which this machine trusts:
// [WithServerKeyPin] and [WithKnownServers] protect the prompt alone.
func WithTLSPin(sha256 string) Option { return text(C.nomyo_config_add_tls_pin, "sha256", sha256) }

// WithCAPEM trusts the certificate authorities in that PEM text too, beside the trust store or the CA file. May be given several
// times. If the system has no trust store, these alone are trusted.
func WithCAPEM(pem []byte) Option {
	return func(c *config) error {
		return withSecret(pem, func(p *C.uint8_t, n C.size_t) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_add_ca_pem(c.c, p, n, err) })
		})
	}
}

// WithClientCertificate shows a client certificate to a server that asks for one (mutual TLS). Both files are PEM and are read by
// NewClient: the certificate with the intermediate ones behind it, and its RSA, ECDSA or Ed25519 key, without encryption. The key
// file must be readable by its owner alone.
func WithClientCertificate(certificateFile, keyFile string) Option {
	return func(c *config) error {
		return withText("certificateFile", certificateFile, func(certificate *C.char) error {
			return withText("keyFile", keyFile, func(key *C.char) error {
				return check(func(err **C.nomyo_error) C.int32_t {
					return C.nomyo_config_set_client_certificate(c.c, certificate, key, err)
				})
			})
		})
	}
}

// WithClientCertificatePEM is WithClientCertificate with two PEM texts. NewClient copies the key: wipe your own when NewClient has
// returned.
func WithClientCertificatePEM[S Secret](certificate []byte, key S) Option {
	return func(c *config) error {
		return withSecret(certificate, func(chain *C.uint8_t, chainLen C.size_t) error {
			return withSecret(key, func(p *C.uint8_t, n C.size_t) error {
				return check(func(err **C.nomyo_error) C.int32_t {
					return C.nomyo_config_set_client_certificate_pem(c.c, chain, chainLen, p, n, err)
				})
			})
		})
	}
}

// WithPostQuantum switches the post-quantum key share (X25519MLKEM768) of TLS on or off. Default: on. The share makes the
// first message of the handshake larger than some middleboxes let pass; the connection then times out.
func WithPostQuantum(yes bool) Option {
	n := int32(0)
	if yes {
		n = 1
	}
	return number(C.nomyo_config_set_post_quantum, n)
}

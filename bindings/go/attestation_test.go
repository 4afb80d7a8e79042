package nomyo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	nomyo "github.com/nomyo-ai/libnomyo/bindings/go"
)

// quoted is a block that a software TPM has made.
type quoted struct {
	PayloadID string          `json:"payload_id"`
	Block     json.RawMessage `json:"tpm_attestation"`
}

func quote(t *testing.T) (q quoted) {
	t.Helper()
	line, _, _ := bytes.Cut(fixture(t, "../tpm/swtpm.jsonl"), []byte("\n"))
	if err := json.Unmarshal(line, &q); err != nil {
		t.Fatal(err)
	}
	return q
}

func TestAQuoteIsJudged(t *testing.T) {
	q := quote(t)
	verdict, err := nomyo.VerifyAttestation(q.Block, q.PayloadID, nomyo.AttestationPolicy{})
	if err != nil || verdict.Level != nomyo.AttestationConsistent || verdict.FailedCheck != "" || verdict.PCRCount != 3 {
		t.Errorf("%+v, %v", verdict, err)
	}
	if verdict.Clock <= 0 || verdict.FirmwareVersion == 0 || verdict.Hierarchy == 0 {
		t.Errorf("%+v", verdict)
	}
	other := strings.Replace(q.PayloadID, "6", "7", 1)
	verdict, err = nomyo.VerifyAttestation(q.Block, other, nomyo.AttestationPolicy{})
	if err != nil || verdict.Level != nomyo.AttestationInvalid || verdict.FailedCheck != "TPM_NONCE_MISMATCH" {
		t.Errorf("another request's: %+v, %v", verdict, err)
	}
	_, err = nomyo.VerifyAttestation(q.Block, other, nomyo.AttestationPolicy{Require: nomyo.AttestationConsistent})
	if !errors.Is(err, nomyo.ErrAttestation) {
		t.Errorf("another request's, required: %v", err)
	}
}

func TestRegistersNeedAllowedValues(t *testing.T) {
	q := quote(t)
	var block struct {
		Values map[string]map[string]string `json:"pcr_values"`
	}
	if err := json.Unmarshal(q.Block, &block); err != nil {
		t.Fatal(err)
	}
	wrong := nomyo.PCR{Bank: "sha256", Index: 7, Value: strings.Repeat("ab", 32)}
	right := nomyo.PCR{Bank: "sha256", Index: 7, Value: block.Values["sha256"]["7"]}
	policy := nomyo.AttestationPolicy{Require: nomyo.AttestationBaseline, Allow: []nomyo.PCR{wrong, right}}
	verdict, err := nomyo.VerifyAttestation(q.Block, q.PayloadID, policy)
	if err != nil || verdict.Level != nomyo.AttestationBaseline {
		t.Errorf("%+v, %v", verdict, err)
	}
	policy.Allow = policy.Allow[:1]
	if _, err := nomyo.VerifyAttestation(q.Block, q.PayloadID, policy); !errors.Is(err, nomyo.ErrAttestation) {
		t.Errorf("a wrong value: %v", err)
	}
	for name, policy := range map[string]nomyo.AttestationPolicy{
		"another bank":    {Allow: []nomyo.PCR{{Bank: "sha1", Index: 7, Value: right.Value}}},
		"a NUL":           {Allow: []nomyo.PCR{{Bank: "sha256\x00", Index: 7, Value: right.Value}}},
		"half a value":    {Allow: []nomyo.PCR{{Bank: "sha256", Index: 7, Value: "ab"}}},
		"no such level":   {Require: 17},
		"a level too low": {Require: nomyo.AttestationUnavailable},
	} {
		if client, err := nomyo.NewClient(nomyo.WithAttestation(policy)); !errors.Is(err, nomyo.ErrArgument) || client != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAnswerSaysWhatItsQuoteProves(t *testing.T) {
	answer := ask(t, chat("x")) // the endpoint has no TPM
	verdict := answer.Attestation()
	if verdict.Level != nomyo.AttestationUnavailable || verdict.Level.String() != "UNAVAILABLE" || verdict.Level.Meaning() == "UNKNOWN" {
		t.Errorf("%+v", verdict)
	}
	var report struct{ Level string }
	if err := json.Unmarshal(answer.AttestationReport(), &report); err != nil || report.Level != "UNAVAILABLE" {
		t.Errorf("%s, %v", answer.AttestationReport(), err)
	}
	asking := withKeys(t, newClient(t, nomyo.WithAttestation(nomyo.AttestationPolicy{Require: nomyo.AttestationConsistent})))
	_, err := asking.Create(context.Background(), chat("x"))
	if e := refused(t, err); e.Status != nomyo.ErrAttestation || e.HTTPStatus != 200 {
		t.Errorf("%+v", e)
	}
}

package nomyo

// #include "library.h"
import "C"

import (
	"encoding/json"
	"math"
	"time"
	"unsafe"
)

// AttestationLevel is what the TPM quote of an answer proves, in rising order.
type AttestationLevel int32

// The levels that an answer can have; [AttestationLevel.Meaning] says what they mean.
const (
	AttestationAbsent      AttestationLevel = C.NOMYO_ATTESTATION_ABSENT      // there is no quote
	AttestationUnavailable AttestationLevel = C.NOMYO_ATTESTATION_UNAVAILABLE // the server says that it has none
	AttestationInvalid     AttestationLevel = C.NOMYO_ATTESTATION_INVALID     // a check failed
	AttestationConsistent  AttestationLevel = C.NOMYO_ATTESTATION_CONSISTENT  // signed, for this request, by an unknown key
	AttestationBaseline    AttestationLevel = C.NOMYO_ATTESTATION_BASELINE    // and the registers have allowed values
)

// String is the level's name, such as "CONSISTENT".
func (l AttestationLevel) String() string {
	return C.GoString(C.nomyo_attestation_level_name(C.int32_t(l)))
}

// Meaning is what the level means, in a sentence or two that can be shown to a person.
func (l AttestationLevel) Meaning() string {
	return C.GoString(C.nomyo_attestation_level_meaning(C.int32_t(l)))
}

// Attestation is the verdict on a TPM quote. What is behind FailedCheck is zero below AttestationConsistent.
type Attestation struct {
	Level           AttestationLevel
	FailedCheck     string        // the first check that failed, such as "TPM_NONCE_MISMATCH"; "" when none did
	PCRCount        int           // how many registers the quote covers
	Warnings        int           // checks that ended in a warning, which lowers no level
	Clock           time.Duration // how long the TPM has been powered on in its life
	ClockSafe       bool          // the clock cannot have gone back since it was last seen
	FirmwareVersion uint64
	ResetCount      uint32 // how often the TPM was reset
	RestartCount    uint32 // how often it was resumed or restarted without a reset
	Hierarchy       uint32 // the handle of the hierarchy that the key is a primary of; 0 when it is no primary
}

// AttestationPolicy is what is asked of the TPM quote in each answer. An answer that proves less is withheld, with
// ErrAttestation.
//
// WARNING: the quote comes with the answer. When it is withheld, the prompt has been sent and processed.
type AttestationPolicy struct {
	Require AttestationLevel // AttestationConsistent or AttestationBaseline; the zero level asks nothing
	Allow   []PCR            // a register that is named has to have one of the values that are here for it
}

// PCR is a value that a register may have.
type PCR struct {
	Bank  string // "sha256", "sha384" or "sha512"
	Index uint32 // 0 to 15
	Value string // in hexadecimal digits
}

// WithAttestation asks for something of the TPM quote in each answer. Default: nothing; quotes are judged all the same.
func WithAttestation(policy AttestationPolicy) Option {
	return func(c *config) error {
		return policy.use(func(p *C.nomyo_attestation_policy) error {
			return check(func(err **C.nomyo_error) C.int32_t { return C.nomyo_config_set_attestation(c.c, p, err) })
		})
	}
}

// VerifyAttestation judges a block that was received elsewhere: the JSON object that an answer has as
// /_metadata/tpm_attestation, and the id of the request that it was made for.
func VerifyAttestation(block []byte, payloadID string, policy AttestationPolicy) (verdict Attestation, err error) {
	var a C.nomyo_attestation
	err = withText("payloadID", payloadID, func(id *C.char) error {
		return policy.use(func(p *C.nomyo_attestation_policy) error {
			return check(func(err **C.nomyo_error) C.int32_t {
				json := (*C.uint8_t)(unsafe.SliceData(block))
				return C.nomyo_attestation_verify(json, C.size_t(len(block)), id, p, &a, C.sizeof_nomyo_attestation, err)
			})
		})
	})
	if err != nil {
		return verdict, err
	}
	return newAttestation(&a), nil
}

// Attestation is the verdict on the answer's TPM quote.
func (r *Response) Attestation() (verdict Attestation) {
	must(r.handle.use(func(p *C.nomyo_response) error {
		var a C.nomyo_attestation
		C.nomyo_response_attestation(p, &a, C.sizeof_nomyo_attestation)
		verdict = newAttestation(&a)
		return nil
	}))
	return verdict
}

// AttestationReport is the verdict with every check, its result and why, as a JSON object.
func (r *Response) AttestationReport() (report json.RawMessage) {
	must(r.handle.use(func(p *C.nomyo_response) error {
		var n C.size_t
		report = append(report, view(C.nomyo_response_attestation_report(p, &n), &n)...)
		return nil
	}))
	return report
}

func newAttestation(a *C.nomyo_attestation) Attestation {
	verdict := Attestation{
		Level: AttestationLevel(a.level), PCRCount: int(a.pcr_count), Warnings: int(a.warnings),
		Clock: time.Duration(min(uint64(a.clock), math.MaxInt64/uint64(time.Millisecond))) * time.Millisecond, ClockSafe: a.clock_safe != 0,
		FirmwareVersion: uint64(a.firmware_version), ResetCount: uint32(a.reset_count),
		RestartCount: uint32(a.restart_count), Hierarchy: uint32(a.hierarchy),
	}
	if a.failed_check != 0 {
		verdict.FailedCheck = C.GoString(C.nomyo_attestation_check_name(a.failed_check))
	}
	return verdict
}

// use makes the policy for the length of a call.
func (p AttestationPolicy) use(f func(*C.nomyo_attestation_policy) error) error {
	policy := C.nomyo_attestation_policy_new()
	defer C.nomyo_attestation_policy_free(policy)
	if p.Require != AttestationAbsent {
		err := check(func(err **C.nomyo_error) C.int32_t {
			return C.nomyo_attestation_policy_require(policy, C.int32_t(p.Require), err)
		})
		if err != nil {
			return err
		}
	}
	for _, pcr := range p.Allow {
		err := withText("Bank", pcr.Bank, func(bank *C.char) error {
			return withText("Value", pcr.Value, func(value *C.char) error {
				return check(func(err **C.nomyo_error) C.int32_t {
					return C.nomyo_attestation_policy_allow_pcr(policy, bank, C.uint32_t(pcr.Index), value, err)
				})
			})
		})
		if err != nil {
			return err
		}
	}
	return f(policy)
}

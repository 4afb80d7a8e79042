"""Answers say what their TPM quote proves, and a policy withholds those that prove less."""

import json

import pytest

import nomyo_native as nomyo
from nomyo_native import AttestationLevel, AttestationPolicy

UNAVAILABLE = b'{"is_available": false}'


@pytest.fixture(scope="module")
def attested(tpm_url, ca_file):
    with nomyo.Client(tpm_url, ca_file=ca_file, max_retries=0) as client:
        yield client


def test_an_answer_without_a_quote_says_so(client, chat):
    with client.create(chat()) as answer:
        assert answer.attestation.level is AttestationLevel.UNAVAILABLE
        assert (answer.attestation.failed_check, answer.attestation.pcr_count) == ("TPM_UNAVAILABLE", 0)
        assert answer.attestation.meaning
        assert answer.attestation_report["level"] == "UNAVAILABLE"
        assert answer.attestation_report["meaning"] == answer.attestation.meaning
    with pytest.raises(nomyo.ArgumentError):
        answer.attestation_report  # noqa: B018


def test_a_quote_is_judged(attested, chat):
    with attested.create(chat()) as answer:
        verdict = answer.attestation
        assert verdict.level is AttestationLevel.CONSISTENT
        assert verdict.failed_check is None and verdict.pcr_count == 3 and verdict.clock > 0
        assert {check["result"] for check in answer.attestation_report["checks"]} <= {"ok", "warning", "skipped"}
        block = json.dumps(answer["_metadata"]["tpm_attestation"]).encode()
        same = nomyo.verify_attestation(block, answer.payload_id, AttestationPolicy(AttestationLevel.CONSISTENT))
        assert same == verdict
        other = nomyo.verify_attestation(bytearray(block), "another request")
        assert other.level is AttestationLevel.INVALID and other.failed_check == "TPM_NONCE_MISMATCH"


def test_a_policy_withholds_what_proves_less(make_client, chat):
    with make_client(attestation=AttestationPolicy(AttestationLevel.CONSISTENT), max_retries=0) as client:
        with pytest.raises(nomyo.AttestationError) as caught:
            client.create(chat())
        assert isinstance(caught.value, nomyo.SecurityError) and caught.value.status_code == 200
    with pytest.raises(nomyo.AttestationError):
        nomyo.verify_attestation(UNAVAILABLE, "id", AttestationPolicy(AttestationLevel.CONSISTENT))
    assert nomyo.verify_attestation(UNAVAILABLE, "id").level is AttestationLevel.UNAVAILABLE


def test_registers_must_have_one_of_their_values(tpm_url, ca_file, attested, chat):
    with attested.create(chat()) as answer:
        register = answer["_metadata"]["tpm_attestation"]["pcr_values"]["sha256"]["7"]
    good = AttestationPolicy(AttestationLevel.BASELINE, {("sha256", 7): ["00" * 32, register]})
    with nomyo.Client(tpm_url, ca_file=ca_file, attestation=good) as client, client.create(chat()) as answer:
        assert answer.attestation.level is AttestationLevel.BASELINE
    bad = AttestationPolicy(AttestationLevel.BASELINE, {("sha256", 7): "00" * 32})
    with nomyo.Client(tpm_url, ca_file=ca_file, attestation=bad) as client, pytest.raises(nomyo.AttestationError):
        client.create(chat())


@pytest.mark.parametrize(
    ("require", "allow"),
    [
        (AttestationLevel.INVALID, None),
        (6, None),
        (None, {("sha1", 7): "00" * 20}),
        (None, {("sha256", 16): "00" * 32}),
        (None, {("sha256", -1): "00" * 32}),
        (None, {("sha256", 2**32 + 7): "00" * 32}),
        (None, {("sha256", 7): ["00" * 32, "00"]}),
    ],
)
def test_what_nothing_can_fulfil_is_no_policy(require, allow):
    with pytest.raises(nomyo.ArgumentError):
        AttestationPolicy(require, allow)


def test_a_baseline_without_values_makes_no_client(make_client):
    with pytest.raises(nomyo.ArgumentError):
        make_client(attestation=AttestationPolicy(AttestationLevel.BASELINE))

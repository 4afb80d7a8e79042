"""TPM quotes: what is asked of them, and what they prove."""

import ctypes
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from ._arguments import Buffer, buffer, integer, text
from ._errors import call
from ._handle import Handle
from ._library import AttestationStruct, lib


class AttestationLevel(IntEnum):
    """What a quote proves, in rising order; `Attestation.meaning` says it in words.

    CONSISTENT: made for this request, signed by the key that came with it. BASELINE: and its registers have allowed values.
    Nobody vouches for that key: a program without a TPM can make such a quote.
    """

    ABSENT = 0
    UNAVAILABLE = 1
    INVALID = 2
    CONSISTENT = 3
    BASELINE = 4


class Attestation(NamedTuple):
    """The verdict on a quote. What is behind `meaning` is 0 below CONSISTENT."""

    level: AttestationLevel
    failed_check: str | None
    """The name of the first check that failed, such as "TPM_NONCE_MISMATCH"."""
    meaning: str
    """A sentence or two for a person."""
    pcr_count: int
    warnings: int
    clock: int
    """Milliseconds that the TPM has been powered on in its life."""
    firmware_version: int
    reset_count: int
    restart_count: int
    clock_safe: bool
    hierarchy: int


class AttestationPolicy:
    """What is asked of the quote in every answer; one that proves less is withheld (AttestationError).

    The quote comes with the answer: when it is withheld, the prompt has been sent and processed.
    """

    def __init__(
        self, require: AttestationLevel | None = None, allow: Mapping[tuple[str, int], str | Iterable[str]] | None = None
    ) -> None:
        """require: CONSISTENT or BASELINE; None withholds nothing.
        allow: the values in hex that a register may have, by bank and index: {("sha256", 7): ["0a...", "1b..."]}.

        Raises ArgumentError.
        """
        self._handle = Handle.made(
            lib.nomyo_attestation_policy_new(), lib.nomyo_attestation_policy_free, "attestation policy"
        )
        with self._handle as policy:
            for (bank, index), values in (allow or {}).items():
                register = text(bank, "bank"), integer(index, "index", 2**32 - 1)
                for value in (values,) if isinstance(values, str) else values:
                    call(lib.nomyo_attestation_policy_allow_pcr, policy, *register, text(value, "value"))
            if require is not None:
                call(lib.nomyo_attestation_policy_require, policy, integer(require, "require", 2**31 - 1))


def verify_attestation(block: Buffer, payload_id: str, policy: AttestationPolicy | None = None) -> Attestation:
    """Judges the JSON that an answer has as `_metadata.tpm_attestation`, for the request with `payload_id`.

    Raises AttestationError when the policy requires more than it proves.
    """
    asked, verdict = policy or AttestationPolicy(), AttestationStruct()
    out = ctypes.byref(verdict), ctypes.sizeof(verdict)
    with asked._handle as p:
        call(lib.nomyo_attestation_verify, *buffer(block, "block"), text(payload_id, "payload_id"), p, *out)
    return verdict_of(verdict)


def verdict_of(struct: Any) -> Attestation:
    level, failed, *facts = (getattr(struct, field[0]) for field in AttestationStruct._fields_)
    check = lib.nomyo_attestation_check_name(failed).decode() if failed else None
    meaning = lib.nomyo_attestation_level_meaning(level).decode()
    return Attestation(AttestationLevel(level), check, meaning, *facts)._replace(clock_safe=bool(struct.clock_safe))

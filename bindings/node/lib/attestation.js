'use strict';

// TPM quotes: what is asked of them, and what they prove.

const native = require('./native.js');
const { jsonOrBytes, oneOf, options, plain, string } = require('./arguments.js');
const { classes, valueOf } = require('./errors.js');
const { refuseMore } = require('./names.js');

const REQUIRED = { consistent: 3, baseline: 4 };

/** The policy, as the addon takes it. */
function policyOf(given, name = 'attestation') {
  const { require: level, pcrs = [] } = options(
    given,
    { require: oneOf(Object.keys(REQUIRED)), pcrs: registers },
    name,
  );
  return { require: level === undefined ? 0 : REQUIRED[level], allowed: pcrs };
}

/** `{'sha256:7': ['0a...', '1b...']}`: the values that a register may have. */
function registers(given, name) {
  return Object.entries(plain(given, name)).flatMap(([register, values]) => {
    const [, bank, index] = /^(.+):(\d{1,3})$/.exec(register) ?? [];
    if (bank === undefined) throw new classes.ArgumentError(`a register is such as sha256:7, not ${register}`);
    const allowed = [values].flat();
    if (allowed.length === 0) throw new classes.ArgumentError(`${register} has no value that is allowed`);
    return allowed.map((value) => ({ bank, index: Number(index), value: string(value, register) }));
  });
}

/** Judges what an answer has as `_metadata.tpm_attestation`, an object or its JSON as bytes. */
function verifyAttestation(block, payloadId, policy = undefined, ...more) {
  refuseMore(more, 'verifyAttestation()');
  const json = jsonOrBytes(block, 'block');
  return verdictOf(valueOf(native.verifyAttestation(policyOf(policy, 'policy'), json, string(payloadId, 'payloadId'))));
}

/** The verdict, as users see it. A clock of milliseconds fits a number for longer than there will be TPMs. */
function verdictOf(verdict) {
  return Object.freeze({ ...verdict, failedCheck: verdict.failedCheck ?? null, clock: Number(verdict.clock) });
}

module.exports = { policyOf, verdictOf, verifyAttestation };

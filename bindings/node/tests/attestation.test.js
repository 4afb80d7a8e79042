'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { ArgumentError, AttestationError, Client, SecurityError, verifyAttestation } = require('..');
const { BASE, client, saying } = require('./endpoint.js');

const [first] = fs.readFileSync(path.join(__dirname, '../../../tests/fixtures/tpm/swtpm.jsonl'), 'utf8').split('\n');
const { payload_id: id, tpm_attestation: block } = JSON.parse(first);

test('an answer says what its quote proves, and why', async () => {
  const answer = await client().create(saying('x'));
  assert.equal(answer.attestation.level, 'unavailable');
  assert.equal(answer.attestation.failedCheck, 'TPM_UNAVAILABLE');
  assert.match(answer.attestation.meaning, /Nothing is proved/);
  assert.ok(Object.isFrozen(answer.attestation));
  const report = answer.attestationReport;
  assert.equal(report.level, 'UNAVAILABLE');
  assert.equal(report.hardware_rooted, false);
  assert.ok(report.checks.length > 10 && report.checks.every(({ number, name, result }) => number && name && result));
});

test('a genuine quote is consistent, for its own request alone', () => {
  for (const given of [block, Buffer.from(JSON.stringify(block))]) {
    const verdict = verifyAttestation(given, id);
    assert.equal(verdict.level, 'consistent');
    assert.equal(verdict.failedCheck, null);
    assert.ok(verdict.pcrCount > 0 && verdict.clock > 0 && typeof verdict.firmwareVersion === 'bigint');
  }
  assert.equal(verifyAttestation(block, 'another').failedCheck, 'TPM_NONCE_MISMATCH');
});

test('registers are held against the values that are allowed', () => {
  const { pcr_values: banks } = block;
  const values = banks.sha256;
  const pcrs = Object.fromEntries(Object.entries(values).map(([index, value]) => [`sha256:${index}`, ['0'.repeat(64), value]]));
  assert.equal(verifyAttestation(block, id, { require: 'baseline', pcrs }).level, 'baseline');
  const [register] = Object.keys(pcrs);
  assert.throws(
    () => verifyAttestation(block, id, { require: 'consistent', pcrs: { [register]: '9'.repeat(64) } }),
    (error) => error instanceof AttestationError && error instanceof SecurityError,
  );
});

test('a policy withholds the answer that proves less, and one that nothing can fulfil is refused', async () => {
  const strict = new Client({ ...BASE, attestation: { require: 'consistent' } });
  await assert.rejects(strict.create(saying('x')), { name: 'AttestationError', status: 'NOMYO_ERR_ATTESTATION' });
  for (const [attestation, why] of [
    [{ require: 'baseline' }, /./],
    [{ require: 'baseline', pcrs: { 'sha1:0': '00' } }, /sha256/],
    [{ require: 'baseline', pcrs: { 'sha256:16': '0'.repeat(64) } }, /above 15/],
    [{ require: 'baseline', pcrs: { 'sha256:0': 'zz' } }, /hex/],
    [{ pcrs: { 'sha256:0': [5] } }, /must be a string/],
    [{}, /require is missing/],
    [{ require: undefined }, /require is missing/],
    [{ pcrs: { 'sha256:0': '0'.repeat(64) } }, /require is missing/],
    [{ require: 'baseline', pcrs: { 'sha256:0': '0'.repeat(64), 'sha256:7': [] } }, /sha256:7 has no value/],
    [{ require: 'baseline', pcrs: new Map([['sha256:0', '0'.repeat(64)]]) }, /plain object/],
    [new Map([['require', 'consistent']]), /plain object/],
  ]) {
    assert.throws(() => new Client({ ...BASE, attestation }), (e) => e instanceof ArgumentError && why.test(e.message));
  }
});

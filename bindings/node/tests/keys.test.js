'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { ArgumentError, Client, ClientKeyError, PinError, ProtocolError, SecurityError } = require('..');
const { BASE, client, saying } = require('./endpoint.js');

const FIXTURES = path.join(__dirname, '../../../tests/fixtures/protocol/keys');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-keys-'));
test.after(() => fs.rmSync(folder, { recursive: true }));

/** A key file as the library wants it: nobody else may read it. */
function fixture(name) {
  const copy = path.join(folder, name);
  fs.copyFileSync(path.join(FIXTURES, name), copy);
  fs.chmodSync(copy, 0o600);
  return copy;
}

const fingerprint = (pem) =>
  crypto.createHash('sha256').update(crypto.createPublicKey(pem).export({ type: 'spki', format: 'der' })).digest('hex');

test('a pair is generated, saved, loaded and rotated; what is there is not overwritten', async () => {
  const dir = path.join(folder, 'pair');
  const mine = new Client({ ...BASE, keyDir: pathToFileURL(dir), keyPassword: 'correct horse' });
  const pem = await mine.publicKey();
  assert.equal(fs.readFileSync(path.join(dir, 'public_key.pem'), 'utf8').trim(), pem.trim());
  const secret = fs.readFileSync(path.join(dir, 'private_key.pem'));
  assert.equal(fs.statSync(path.join(dir, 'private_key.pem')).mode & 0o777, 0o600);
  assert.ok(crypto.createPrivateKey({ key: secret, passphrase: 'correct horse' }), 'others read it as well');
  await assert.rejects(client().generateKeys(dir, Buffer.from('another password')), ClientKeyError);
  await assert.rejects(client().saveKeys(dir), ClientKeyError);
  assert.ok(secret.equals(fs.readFileSync(path.join(dir, 'private_key.pem'))));
  const other = new Client(BASE);
  await other.loadKeys(path.join(dir, 'private_key.pem'), path.join(dir, 'public_key.pem'), 'correct horse');
  assert.equal(await other.publicKey(), pem);
  await other.saveKeys(path.join(folder, 'copy'), 'correct horse');
  await mine.rotateKeys();
  assert.notEqual(await mine.publicKey(), pem);
  assert.equal((await mine.create(saying('rotated'))).content(), 'rotated');
});

test('the key file of nomyo-js is read, and a wrong password is not', async () => {
  const file = fixture('client_private_js_password.pem');
  const mine = new Client(BASE);
  await mine.loadKeys(file, undefined, Buffer.from('correct horse battery staple'));
  const expected = fs.readFileSync(path.join(FIXTURES, 'client_public.pem'), 'utf8');
  assert.equal(fingerprint(await mine.publicKey()), fingerprint(expected));
  await assert.rejects(mine.loadKeys(file, undefined, 'wrong password'), { status: 'NOMYO_ERR_KEY' });
});

test('a pair comes from memory, and its private key goes there and is wiped', async () => {
  const [privateKey, publicKey] = ['private', 'public'].map((half) => fs.readFileSync(path.join(FIXTURES, `client2048_${half}.pem`)));
  const mine = new Client(BASE);
  for (const text of [privateKey, privateKey.toString(), new Uint8Array(privateKey).buffer]) await mine.loadKeysPem(text, publicKey);
  assert.equal(fingerprint(await mine.publicKey()), fingerprint(publicKey));
  const pending = mine.loadKeysPem(privateKey);
  privateKey.fill(0); // it was copied
  await pending;
  const exported = await mine.privateKeyPem('correct horse');
  mine.close(); // the text outlives it
  assert.match(exported.toString(), /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n[^]*\n$/);
  const key = crypto.createPrivateKey({ key: exported, passphrase: 'correct horse' });
  assert.equal(fingerprint(crypto.createPublicKey(key).export({ type: 'spki', format: 'pem' })), fingerprint(publicKey));
  const other = new Client(BASE);
  await other.loadKeysPem(exported, undefined, Buffer.from('correct horse'));
  exported.close();
  assert.equal(exported.length, 0);
  await assert.rejects(other.loadKeysPem(exported), ArgumentError);
  await assert.rejects(other.loadKeysPem(publicKey), ClientKeyError);
  await assert.rejects(other.loadKeysPem(''), /the private key given is empty/);
  await assert.rejects(other.loadKeysPem(5), ArgumentError);
  await assert.rejects(other.privateKeyPem('short'), ArgumentError);
  assert.equal(fingerprint(await other.publicKey()), fingerprint(publicKey));
});

test('a pin keeps the prompt from any other key', async () => {
  const { fingerprint: shown, pem } = await client().serverKey();
  assert.equal(shown, process.env.NOMYO_TEST_KEY_FINGERPRINT);
  assert.equal(fingerprint(pem), shown);
  const pinned = new Client({ ...BASE, serverKeyPins: ['1'.repeat(64), shown] });
  assert.equal((await pinned.create(saying('pinned'))).content(), 'pinned');
  const wrong = new Client({ ...BASE, serverKeyPins: '0'.repeat(64) });
  await assert.rejects(wrong.warmUp(), (error) => error instanceof PinError && error instanceof SecurityError);
  const known = path.join(folder, 'known_servers');
  await new Client({ ...BASE, knownServers: known }).create(saying('x'));
  assert.match(fs.readFileSync(known, 'utf8'), new RegExp(shown));
});

test('a request is sealed for an HTTP stack of the caller\'s own, and its answer opened', async () => {
  const { pem } = await client().serverKey();
  for (const request of [saying('sealed'), Buffer.from(JSON.stringify(saying('sealed')))]) {
    const sealed = await client().seal(Buffer.from(pem), request, { securityTier: 'high' });
    assert.equal(sealed.headers['X-Payload-ID'], sealed.payloadId);
    assert.equal(sealed.headers['X-Security-Tier'], 'high');
    assert.ok(!sealed.body.includes('sealed'));
    assert.equal(sealed.body, sealed.body);
    const posted = await fetch(`${process.env.NOMYO_TEST_PLAIN_BASE_URL}/v1/chat/secure_completion`, {
      method: 'POST',
      headers: sealed.headers,
      body: sealed.body,
    });
    const body = await posted.arrayBuffer();
    const answer = await client().open(sealed, body);
    assert.equal(answer.content(), 'sealed');
    assert.equal(answer.payloadId, sealed.payloadId);
    const other = await client().seal(pem, request);
    await assert.rejects(client().open(other, body), SecurityError);
    await assert.rejects(client().open(sealed, Buffer.from('{}')), ProtocolError);
  }
  await assert.rejects(client().open({}, Buffer.from('{}')), /what seal\(\) returned/);
});

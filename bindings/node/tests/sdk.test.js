'use strict';

// The two classes of nomyo-js, used as its documentation says.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { ArgumentError, APIConnectionError, APIError, SecureChatCompletion, SecureCompletionClient, SecurityError } = require('..');
const { BASE, saying, slow } = require('./endpoint.js');

// Its options have none for the CA: that of the endpoint is trusted as the platform's are.
process.env.SSL_CERT_FILE = process.env.NOMYO_TEST_CA_FILE;
const { baseUrl } = BASE;
const chat = new SecureChatCompletion({ baseUrl, apiKey: 'test', maxRetries: 0 });
const low = new SecureCompletionClient({ routerUrl: `${baseUrl}/`, keySize: 4096, maxRetries: 0 });

test('an answer is a plain object with its metadata', async () => {
  for (const create of ['create', 'acreate']) {
    const answer = await chat[create]({ ...saying('hello'), temperature: 0.5, security_tier: 'high', api_key: 'other' });
    assert.equal(Object.getPrototypeOf(answer), Object.prototype);
    assert.equal(answer.choices[0].message.content, 'hello');
    assert.equal(answer._metadata.is_encrypted, true);
    assert.equal(answer._metadata.security_tier, 'high');
    assert.equal(answer._metadata.encryption_algorithm, 'hybrid-aes256-rsa4096');
  }
});

test('what is missing is said as nomyo-js says it', async () => {
  for (const request of [undefined, {}, { messages: [] }, { model: '', messages: [] }]) {
    await assert.rejects(chat.create(request), { message: 'Missing required field: model' });
  }
  for (const messages of [undefined, null, 'x', {}]) {
    await assert.rejects(chat.create({ model: 'm', messages }), { message: 'Missing or invalid required field: messages' });
  }
  await assert.rejects(chat.create(saying('x'), { signal: AbortSignal.abort() }), { name: 'AbortError' });
  await assert.rejects(chat.create({ ...saying('x'), security_tier: 'top' }), ArgumentError);
  await assert.rejects(chat.create({ ...saying('x'), base_url: 'https://elsewhere' }), ArgumentError);
});

test('errors have the words of nomyo-js', async () => {
  for (const [status, body, message] of [
    [400, '{"detail":"d"}', 'Bad request: d'],
    [401, '{"detail":"d"}', 'Invalid API key or authentication failed: d'],
    [403, '{"detail":"d"}', 'Forbidden: d'],
    [404, '{"detail":"d"}', 'Endpoint not found: d'],
    [429, '{"detail":"d"}', 'Rate limit exceeded: d'],
    [500, 'no JSON', 'Server error: Unknown error'],
    [503, '{"detail":[1]}', 'Service unavailable: [1]'],
    [418, '{}', 'Unexpected status code: 418: Unknown error'],
  ]) {
    await assert.rejects(chat.create(saying('x', { status, body })), (error) => {
      assert.ok(error instanceof APIError && error.statusCode === status);
      assert.equal(error.message, message);
      return true;
    });
  }
  // Not wrapped into a connection error, as 0.1.0 does (and as no caller wants it).
  await assert.rejects(chat.create(saying('x', { payload_id: 'another' })), SecurityError);
  const nobody = new SecureChatCompletion({ baseUrl: 'https://127.0.0.1:1', maxRetries: 0 });
  await assert.rejects(nobody.create(saying('x')), APIConnectionError);
});

test('a payload is encrypted, sent by the caller, and its answer decrypted', async () => {
  const { routerUrl } = { routerUrl: process.env.NOMYO_TEST_PLAIN_BASE_URL };
  assert.match(await low.fetchServerPublicKey(), /^-----BEGIN PUBLIC KEY-----/);
  const encrypted = await low.encryptPayload(saying('by hand'));
  assert.ok(encrypted instanceof ArrayBuffer);
  const posted = await fetch(`${routerUrl}/v1/chat/secure_completion`, {
    method: 'POST',
    headers: encrypted.headers,
    body: encrypted,
  });
  const answer = await low.decryptResponse(await posted.arrayBuffer(), encrypted.payloadId);
  assert.equal(answer.choices[0].message.content, 'by hand');
  assert.equal(answer._metadata.payload_id, encrypted.payloadId);
  await assert.rejects(low.decryptResponse(new ArrayBuffer(2), 'another id'), ArgumentError);
});

test('sendSecureRequest takes a tier as its argument, and a signal', async () => {
  const answer = await low.sendSecureRequest(saying('sent'), 'ignored', 'key', 'standard');
  assert.equal(answer.choices[0].message.content, 'sent');
  assert.equal(answer._metadata.security_tier, 'standard');
  assert.notEqual(answer._metadata.payload_id, 'ignored');
  const signal = AbortSignal.timeout(100);
  await assert.rejects(low.sendSecureRequest(slow(), 'x', undefined, undefined, { signal }), { code: 'ABORT_ERR' });
});

test('nothing is written to disk unless a directory is named, and then encrypted if there is a password', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-sdk-'));
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => {
    process.chdir(before);
    fs.rmSync(folder, { recursive: true });
  });
  await low.generateKeys();
  assert.deepEqual(fs.readdirSync('.'), []);
  await low.generateKeys({ saveToFile: true, password: 'correct horse' });
  assert.match(fs.readFileSync('client_keys/private_key.pem', 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/);
  await assert.rejects(low.generateKeys({ saveToFile: true }), { name: 'ClientKeyError' });
  await low.loadKeys('client_keys/private_key.pem', 'client_keys/public_key.pem', 'correct horse');
  const rotating = new SecureChatCompletion({
    baseUrl,
    keyDir: 'client_keys',
    keyRotationDir: 'client_keys',
    keyRotationPassword: 'correct horse',
    keyRotationInterval: 0,
    secureMemory: false,
    timeout: 30_000,
  });
  assert.equal((await rotating.create(saying('from a directory'))).choices[0].message.content, 'from a directory');
  assert.throws(() => new SecureChatCompletion({ keyDir: 'a', keyRotationDir: 'b' }), /one directory/);
  assert.throws(() => new SecureChatCompletion({ keyRotationPassword: 'correct horse' }), ArgumentError);
});

test('http is refused, or allowed with a warning', async () => {
  const plain = process.env.NOMYO_TEST_PLAIN_BASE_URL;
  assert.throws(() => new SecureChatCompletion({ baseUrl: plain }), SecurityError);
  const warned = new Promise((done) => process.once('warning', done));
  const allowed = new SecureChatCompletion({ baseUrl: plain, allowHttp: true });
  assert.match((await warned).message, /insecure/);
  assert.equal((await allowed.create(saying('plain'))).choices[0].message.content, 'plain');
});

test('the environment is not read, an unknown option is refused, and dispose() ends it', async () => {
  process.env.NOMYO_SERVER_KEY_PIN = '0'.repeat(64);
  process.env.NOMYO_BASE_URL = 'https://127.0.0.1:1';
  const mine = new SecureChatCompletion({ baseUrl });
  assert.equal((await mine.create(saying('x'))).choices[0].message.content, 'x');
  mine.dispose();
  mine.dispose();
  await assert.rejects(mine.create(saying('x')), /closed/);
  assert.throws(() => new SecureChatCompletion({ base_url: 'x' }), /unknown in the configuration: base_url/);
});

test('keySize is taken where nomyo-js has it, and a pair always has 4096 bits', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-sdk-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const small = new SecureCompletionClient({ routerUrl: baseUrl, keySize: 2048 });
  const keyDir = path.join(folder, 'keys');
  await small.generateKeys({ keySize: 2048, saveToFile: true, keyDir });
  const pem = fs.readFileSync(path.join(keyDir, 'public_key.pem'));
  assert.equal(crypto.createPublicKey(pem).asymmetricKeyDetails.modulusLength, 4096);
  for (const keySize of [1024, 3072, '4096']) {
    assert.throws(() => new SecureCompletionClient({ keySize }), /keySize must be one of: 2048, 4096/);
    await assert.rejects(small.generateKeys({ keySize }), /keySize must be one of: 2048, 4096/);
  }
  assert.throws(() => new SecureChatCompletion({ keySize: 4096 }), /unknown in the configuration: keySize/);
});

/** Passes on what is sent to the endpoint, and counts the connections and the key fetches. */
async function relay(t) {
  const to = new URL(process.env.NOMYO_TEST_PLAIN_BASE_URL);
  const counts = { connections: 0, keyFetches: 0 };
  const sockets = new Set();
  const server = net.createServer((from) => {
    counts.connections += 1;
    const onward = net.connect(to.port, to.hostname);
    from.on('data', (bytes) => (counts.keyFetches += bytes.includes('GET /pki/public_key') ? 1 : 0));
    for (const socket of [from, onward]) sockets.add(socket.on('error', () => {}));
    from.pipe(onward).pipe(from);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  return { counts, url: `http://127.0.0.1:${server.address().port}` };
}

test('requests that follow each other share one connection and one key fetch, others have more connections', async (t) => {
  const { counts, url } = await relay(t);
  const mine = new SecureChatCompletion({ baseUrl: url, allowHttp: true });
  for (let i = 0; i < 5; i += 1) await mine.create(saying(`number ${i}`));
  assert.deepEqual(counts, { connections: 1, keyFetches: 1 });
  await Promise.all([1, 2, 3].map((i) => mine.create(saying(`at once ${i}`, { delay_before_headers_ms: 300 }))));
  assert.deepEqual(counts, { connections: 3, keyFetches: 1 });
  mine.dispose();
});

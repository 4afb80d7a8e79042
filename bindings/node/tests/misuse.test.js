'use strict';

// What other code in the process does, and what configuration lacks: nothing is weakened, shown or touched by it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { inspect } = require('node:util');
const { ArgumentError, Client, secureAlloc, SecureChatCompletion, SecureCompletionClient, SecurityError } = require('..');
const { BASE, client, saying } = require('./endpoint.js');

/** Runs `body` while every object has `members`. */
function polluted(members, body) {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
  }
  try {
    return body();
  } finally {
    for (const name of Object.keys(members)) delete Object.prototype[name];
  }
}

/** A secret that its owner has closed too early. */
function closed() {
  const secret = secureAlloc(16).fill(65);
  secret.close();
  return secret;
}

test('what a prototype has is no option', () => {
  const http = 'http://127.0.0.1:1';
  polluted({ allowHttp: true, memory: 'off', environment: false, proxy: http, log: 5, NOMYO_BASE_URL: http }, () => {
    assert.throws(() => new Client({ baseUrl: http }), SecurityError);
    assert.doesNotThrow(() => new Client({ environment: true }).close());
  });
  polluted({ baseUrl: http, NOMYO_BASE_URL: http, allowHttp: true }, () => {
    assert.throws(() => new Client({ allowHttp: false, baseUrl: http }), SecurityError);
    new Client().close();
  });
});

test('no code of others runs between looking at bytes and copying them', () => {
  if (!('resize' in ArrayBuffer.prototype)) return; // Node 18 has nothing that takes memory away so fast
  const program = `
    const { Client } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const memory = new ArrayBuffer(64 << 20, { maxByteLength: 64 << 20 });
    const json = new Uint8Array(memory).fill(32);
    for (const name of ['timeout', 'securityTier', 'apiKey', 'signal', 'require', 'allowed']) {
      Object.defineProperty(Object.prototype, name, { configurable: true, get() { memory.resize(0); } });
    }
    const client = new Client({ apiKey: 'x' });
    client.seal('pem', json).catch((e) => console.log(e.name));
    client.create(json).catch((e) => console.log(e.name));
  `;
  const { status, signal, stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  assert.deepEqual({ status, signal, stdout }, { status: 0, signal: null, stdout: 'ArgumentError\nArgumentError\n' });
});

test('an empty or closed password protects nothing, and is refused before anything is written', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-misuse-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const keyDir = path.join(folder, 'keys');
  for (const password of ['', Buffer.alloc(0), closed()]) {
    await assert.rejects(client().saveKeys(keyDir, password), ArgumentError);
    await assert.rejects(client().generateKeys(keyDir, password), ArgumentError);
    assert.throws(() => new Client({ ...BASE, keyDir, keyPassword: password }), ArgumentError);
    assert.throws(() => new SecureChatCompletion({ keyDir, keyRotationPassword: password }), ArgumentError);
  }
  assert.deepEqual(fs.readdirSync(folder), []);
  assert.throws(() => new Client({ ...BASE, apiKey: closed() }), /apiKey has no memory any more/);
  await assert.rejects(client().create(closed()), /request has no memory any more/);
});

test('what is no plain object is not taken for one without members', async () => {
  class Options {
    get allowHttp() {
      return true;
    }
  }
  for (const options of [new Map([['serverKeyPins', ['x']]]), ['x'], new Options(), new Uint8Array(4)]) {
    assert.throws(() => new Client(options), /must be a plain object/);
    await assert.rejects(client().create(saying('x'), options), /must be a plain object/);
  }
  new Client({ __proto__: null, ...BASE }).close();
});

test('a payload is wiped also when the key of the server cannot be had', async () => {
  const unreachable = new SecureCompletionClient({ routerUrl: 'https://127.0.0.1:1', maxRetries: 0 });
  const from = Buffer.from;
  const copies = [];
  Buffer.from = (...given) => {
    const copy = Reflect.apply(from, Buffer, given);
    copies.push(copy);
    return copy;
  };
  try {
    await assert.rejects(unreachable.encryptPayload(saying('a secret')));
  } finally {
    Buffer.from = from;
  }
  assert.ok(copies.length > 0);
  assert.ok(copies.every((copy) => !copy.includes('secret')));
});

test('an error that is printed shows neither the words of the server nor those of the request', async () => {
  const echoed = { status: 422, body: '{"detail":[{"input":"a secret"}]}' };
  const error = await client().create(saying('a secret', echoed)).catch((e) => e);
  assert.equal(error.statusCode, 422);
  assert.match(error.details.toString(), /a secret/);
  assert.deepEqual(error.errorDetails, { detail: [{ input: 'a secret' }] });
  const thrown = { toJSON: () => { throw new Error('a secret'); } };
  const own = await client().create(thrown).catch((e) => e);
  assert.ok(own instanceof ArgumentError);
  for (const printed of [error, own].map((e) => inspect(e, { depth: 9 }))) {
    assert.doesNotMatch(printed, /secret|22 61 20/);
  }
});

test('a warning about http shows no password', async () => {
  const warned = new Promise((done) => process.once('warning', done));
  assert.throws(() => new SecureChatCompletion({ baseUrl: 'http://me:hunter2@127.0.0.1', allowHttp: true }), ArgumentError);
  assert.doesNotMatch(inspect(await warned), /hunter2/);
});

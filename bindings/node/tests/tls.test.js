'use strict';

// The certificates of the server: which they are, pins for them, and what the first message of TLS offers.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const tls = require('node:tls');
const { ArgumentError, Client, PinError } = require('..');
const { BASE, client, control, saying } = require('./endpoint.js');

const OTHER = `sha256/${Buffer.alloc(32).toString('base64')}`;

test('tlsChain() tells the certificates of the server, leaf first', async () => {
  const chain = await new Client(BASE).tlsChain();
  assert.deepEqual(chain.map(({ role }) => role), ['leaf', 'root']);
  for (const { sha256, subject } of chain) {
    assert.match(sha256, /^sha256\/[A-Za-z0-9+/]{43}=$/);
    assert.match(subject, /^CN=/);
  }
  await client().warmUp();
  assert.deepEqual(await client().tlsChain(), chain, 'a connection that is there tells the same');
  const plain = new Client({ ...BASE, baseUrl: process.env.NOMYO_TEST_PLAIN_BASE_URL, allowHttp: true });
  await assert.rejects(plain.tlsChain(), ArgumentError);
});

test('a TLS pin of any certificate of the chain lets the request through', async () => {
  for (const { sha256 } of await client().tlsChain()) {
    const hex = Buffer.from(sha256.slice('sha256/'.length), 'base64').toString('hex');
    for (const tlsPins of [sha256, hex, [OTHER, sha256]]) {
      const pinned = new Client({ ...BASE, tlsPins });
      assert.equal((await pinned.serverKey()).fingerprint, process.env.NOMYO_TEST_KEY_FINGERPRINT);
    }
  }
});

test('with a TLS pin of another certificate nothing leaves', async () => {
  const chain = await client().tlsChain();
  const pinned = new Client({ ...BASE, tlsPins: OTHER, maxRetries: 0 });
  const before = await control('stats');
  for (const call of [() => pinned.create(saying('x')), () => pinned.warmUp(), () => pinned.serverKey()]) {
    await assert.rejects(call(), (error) => {
      assert.ok(error instanceof PinError, `${error}`);
      assert.equal(error.sent, 'no');
      assert.equal(error.payloadId, null);
      for (const { sha256 } of chain) assert.ok(error.message.includes(sha256), error.message);
      return true;
    });
  }
  const { requests, key_fetches: fetches } = await control('stats');
  assert.deepEqual([requests, fetches], [before.requests, before.key_fetches]);
});

test('a TLS pin that is none, or pins nothing, is refused', () => {
  for (const tlsPins of ['x', ['sha256/x'], [], '']) {
    assert.throws(() => new Client({ ...BASE, tlsPins }), ArgumentError, JSON.stringify(tlsPins));
  }
  const plain = { baseUrl: process.env.NOMYO_TEST_PLAIN_BASE_URL, allowHttp: true };
  assert.throws(() => new Client({ ...BASE, ...plain, tlsPins: OTHER }), ArgumentError);
});

test("Node's bundled certificates can be the trust store, with one more", async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-roots-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const caFile = path.join(folder, 'roots.pem');
  const reached = async () => (await new Client({ ...BASE, caFile, maxRetries: 0 }).serverKey()).fingerprint;
  fs.writeFileSync(caFile, tls.rootCertificates.join('\n'));
  await assert.rejects(reached(), { name: 'APIConnectionError', sent: 'no' });
  fs.appendFileSync(caFile, `\n${fs.readFileSync(BASE.caFile, 'utf8')}`);
  assert.equal(await reached(), process.env.NOMYO_TEST_KEY_FINGERPRINT);
});

/** How long the first message of a client's TLS is. */
async function firstMessage(options) {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const call = new Client({ ...options, baseUrl: `https://127.0.0.1:${server.address().port}`, maxRetries: 0 })
    .serverKey({ timeout: 5000 })
    .catch((error) => error);
  const [socket] = await once(server, 'connection');
  let first = Buffer.alloc(0);
  while (first.length < 5 || first.length < 5 + first.readUInt16BE(3)) {
    first = Buffer.concat([first, (await once(socket, 'data'))[0]]);
  }
  socket.destroy();
  server.close();
  await call;
  return first.length;
}

test('postQuantum: false leaves the large key share out of the first message of TLS', async () => {
  const X25519MLKEM768 = 1216;
  const [by, without] = [await firstMessage(BASE), await firstMessage({ ...BASE, postQuantum: false })];
  assert.ok(by > X25519MLKEM768 && without < 600, `${by} bytes, and ${without} without`);
  assert.ok((await firstMessage({ ...BASE, postQuantum: true })) > X25519MLKEM768);
  const mine = new Client({ ...BASE, postQuantum: false });
  assert.equal((await mine.serverKey()).fingerprint, process.env.NOMYO_TEST_KEY_FINGERPRINT);
  assert.throws(() => new Client({ ...BASE, postQuantum: 1 }), ArgumentError);
});

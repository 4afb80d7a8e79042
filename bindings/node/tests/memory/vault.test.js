'use strict';

// Buffers over the vault: what is in them, and when it is gone.

const assert = require('node:assert/strict');
const { constants } = require('node:buffer');
const crypto = require('node:crypto');
const { once } = require('node:events');
const { fork, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { promisify } = require('node:util');
const memory = require('../../lib/memory.js');
const { collect, find, lockedByCaller, native, skip } = require('./process.js');

let child;
let seed = 4711;

before(() => {
  child = fork(path.join(__dirname, 'vault_child.js'));
});

after(() => {
  child.kill();
});

async function tell(step) {
  child.send(step);
  await once(child, 'message');
}

/** A buffer of the child's with a mark in it, and how often that is in its memory. */
async function marked(step, name, size) {
  const mine = ++seed;
  await tell({ do: step, name, size, seed: mine });
  return () => find(child.pid, mine);
}

test('a secret is in locked memory, that no core dump and no forked child has', { skip }, async () => {
  const look = await marked('alloc', 'protected', 5000);
  const [mapping, ...more] = look();
  assert.deepEqual(more, []);
  assert.ok(mapping.flags.includes('dd'), 'kept out of core dumps');
  assert.ok(mapping.flags.includes('wf'), 'zeros in a forked child');
  assert.ok(mapping.flags.includes('lo'), 'locked');
});

test('what is closed is wiped at once', { skip }, async () => {
  const look = await marked('alloc', 'closed', 5000);
  assert.equal(look().length, 1);
  await tell({ do: 'close', name: 'closed' });
  assert.deepEqual(look(), []);
});

test('what is collected is wiped', { skip }, async () => {
  const look = await marked('alloc', 'collected', 5000);
  assert.equal(look().length, 1);
  await tell({ do: 'forget', name: 'collected' });
  assert.deepEqual(look(), []);
});

test('what is zeroed is in the memory no more, and an ordinary buffer that is not would be', { skip }, async () => {
  const look = await marked('ordinary', 'zeroed', 5000);
  const left = await marked('ordinary', 'left', 5000);
  assert.equal(look().length, 1);
  await tell({ do: 'zero', name: 'zeroed' });
  assert.deepEqual(look(), []);
  assert.equal(left().length, 1);
});

test('an ordinary buffer is locked by lock(), but not kept out of core dumps', { skip }, async () => {
  const look = await marked('ordinary', 'locked', 100_000);
  assert.ok(!look()[0].flags.includes('lo'));
  await tell({ do: 'lock', name: 'locked' });
  assert.ok(look()[0].flags.includes('lo'));
  assert.ok(!look()[0].flags.includes('dd'));
});

test('it is a Buffer of zeros, of exactly its size', () => {
  for (const size of [0, 1, 15, 16, 4095, 4096, 4097, 1_000_000]) {
    const secret = memory.secureAlloc(size);
    assert.ok(Buffer.isBuffer(secret));
    assert.equal(secret.length, size);
    assert.equal(secret.buffer.byteLength, size);
    assert.ok(secret.every((byte) => byte === 0));
    secret.write('s'.repeat(size));
    assert.deepEqual(Object.keys(secret).filter((key) => !/^\d+$/.test(key)), []);
    secret.close();
    assert.equal(secret.length, 0);
  }
});

test('closing leaves no view with bytes, and closing again does nothing', () => {
  const secret = memory.secureAlloc(64).fill(1);
  const views = [secret.subarray(8), new Uint8Array(secret.buffer, 4, 4), new Float64Array(secret.buffer)];
  secret.close();
  for (const view of [secret, ...views]) {
    assert.equal(view.length, 0);
    assert.equal(view[0], undefined);
    view[0] = 7;
    assert.throws(() => memory.lock(view), /detached/);
  }
  secret.close();
  secret.close();
});

test('`using` closes it', { skip: !Symbol.dispose && 'this Node has no Symbol.dispose' }, () => {
  const secret = memory.secureAlloc(64);
  secret[Symbol.dispose]();
  assert.equal(secret.length, 0);
});

test('closing gives back the locks, its own and those of lock()', { skip }, () => {
  const before = { caller: lockedByCaller(), ...native.protection() };
  const secret = memory.secureAlloc(100_000);
  assert.ok(native.protection().locked >= before.locked + 100_000);
  memory.lock(secret);
  memory.lock(secret.subarray(5000));
  secret.close();
  assert.equal(lockedByCaller(), before.caller);
  assert.equal(native.protection().locked, before.locked);
  assert.equal(native.protection().mapped, before.mapped);
});

test('a secret that is closed while it is locked can be collected', async () => {
  const forgotten = (() => {
    const secret = memory.secureAlloc(5000);
    memory.lock(secret);
    secret.close();
    return new WeakRef(secret.buffer);
  })();
  await collect(() => !forgotten.deref());
  assert.equal(forgotten.deref(), undefined);
});

test('unlocking a secret leaves it locked by the vault', { skip }, () => {
  const secret = memory.secureAlloc(100_000);
  const before = lockedByCaller();
  memory.lock(secret);
  memory.unlock(secret);
  assert.equal(lockedByCaller(), before);
  assert.throws(() => memory.unlock(secret), /not locked/);
  secret.close();
});

test('a size that is none is an error, and so is one too large', () => {
  for (const size of [undefined, null, '16', 16n, {}, [16]]) {
    assert.throws(() => memory.secureAlloc(size), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const size of [-1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, constants.MAX_LENGTH + 2]) {
    assert.throws(() => memory.secureAlloc(size), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
  }
});

test('more memory than there is is an error', { skip: constants.MAX_LENGTH < 2 ** 47 && 'this Node refuses it before' }, () => {
  assert.throws(() => memory.secureAlloc(2 ** 50), { name: 'OutOfMemoryError', code: 'NOMYO_ERR_MEMORY', message: /no memory/ });
});

test('a secret does not go to another thread', () => {
  const secret = memory.secureAlloc(64).fill(1);
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(secret, [secret.buffer]); // older versions copy instead
  } catch (error) {
    assert.equal(error.name, 'DataCloneError');
  }
  assert.equal(secret.length, 64);
  assert.equal(secret[63], 1);
  port1.close();
  port2.close();
  secret.close();
});

const moves = 'transfer' in ArrayBuffer.prototype;

test('closing wipes also what has been moved to another ArrayBuffer', { skip: !moves && 'this Node cannot' }, async () => {
  const secret = memory.secureAlloc(64).fill(1);
  const moved = new Uint8Array(secret.buffer.transfer());
  assert.equal(secret.length, 0);
  assert.equal(moved[63], 1);
  secret.close();
  assert.equal(moved[63], 0);
  await collect();
  moved.fill(2);
  assert.equal(moved[0], 2);
});

test('what has been moved outlives the buffer that was forgotten', { skip: !moves && 'this Node cannot' }, async () => {
  const moved = (() => new Uint8Array(memory.secureAlloc(100_000).fill(1).buffer.transfer()))();
  await collect();
  assert.ok(moved.every((byte) => byte === 1));
});

test('closing does not take the memory from under a call in flight', async () => {
  const file = await fs.promises.open('/dev/zero', 'r+');
  const calls = [];
  for (let i = 0; i < 20; i++) {
    const secret = memory.secureAlloc(16 * 1024 * 1024);
    calls.push(promisify(crypto.randomFill)(secret));
    calls.push(promisify(crypto.scrypt)(secret, secret.subarray(16, 32), 32, { N: 16 }));
    calls.push(crypto.webcrypto.subtle.digest('SHA-256', secret));
    calls.push(file.read(secret, 0, secret.length, 0), file.write(secret));
    secret.close();
  }
  await collect();
  const outcomes = await Promise.allSettled(calls);
  assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
  await file.close();
});

test('node:zlib must be waited for: it ends the process when its input is closed between two of its steps', () => {
  const program = (event) => `
    const { secureAlloc } = require(${JSON.stringify(path.join(__dirname, '../../lib/memory.js'))});
    const secret = require('node:crypto').randomFillSync(secureAlloc(256 * 1024));
    const deflating = require('node:zlib').createDeflate({ chunkSize: 64 });
    deflating.once('${event}', () => secret.close()).resume().end(secret);
    process.once('exit', () => console.log('closed', secret.length));
  `;
  const ended = (event) => spawnSync(process.execPath, ['-e', program(event)], { encoding: 'utf8' });
  const early = ended('data');
  // Node 24.19 throws where nothing can catch it; older ones abort.
  const thrown = early.status === 1 && early.stderr.includes('ERR_OUT_OF_RANGE');
  assert.ok(early.signal === 'SIGABRT' || thrown, `${early.status} ${early.signal} ${early.stderr}`);
  const waited = ended('end');
  assert.deepEqual([waited.status, waited.stdout], [0, 'closed 0\n'], waited.stderr);
});

const mappings = () => fs.readFileSync('/proc/self/maps', 'latin1').split('\n').length;

test('what is closed keeps its addresses while it is held, for calls in flight, and then gives them back', async () => {
  const before = mappings();
  let held = [];
  for (let i = 0; i < 300; i++) {
    const secret = memory.secureAlloc(5000);
    held.push(secret.subarray(8)); // any view holds the memory
    secret.close();
  }
  await collect();
  assert.ok(mappings() > before + 600, `${mappings()} mappings, ${before} before`);
  held = undefined;
  await collect();
  assert.ok(mappings() < before + 100, `${mappings()} mappings, ${before} before`);
});

test('the memory of what is closed or forgotten goes back to the system', async () => {
  const round = async () => {
    for (let i = 0; i < 300; i++) {
      const secret = memory.secureAlloc(1 + ((i * 977) % 70_000));
      if (i % 2) secret.close();
    }
    await collect();
  };
  await round();
  const before = { maps: mappings(), ...native.protection() };
  await round();
  assert.equal(native.protection().mapped, before.mapped);
  assert.ok(mappings() < before.maps + 100, `${mappings()} mappings, ${before.maps} before`);
});

'use strict';

// Worker threads, and processes that end: nothing crashes, and nothing stays locked.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { collect, lockedByCaller, native, sanitized, skip } = require('./process.js');

const WORKERS = 4;
const ROUNDS = sanitized ? 500 : 2500;

async function torture(seed) {
  const worker = new Worker(path.join(__dirname, 'torture_worker.js'), { workerData: { seed, rounds: ROUNDS } });
  assert.deepEqual(await once(worker, 'message'), ['done']);
  assert.deepEqual(await once(worker, 'exit'), [0]);
}

test(`${WORKERS} workers make and lose ${WORKERS * ROUNDS} buffers, and nothing stays mapped or locked`, async () => {
  await torture(1); // the library's own memory has its size then
  await collect();
  const before = { caller: lockedByCaller(), mapped: native.protection().mapped };
  await Promise.all(Array.from({ length: WORKERS }, (_, i) => torture(i + 2)));
  await collect();
  assert.ok(skip || lockedByCaller() === before.caller);
  assert.ok(native.protection().mapped <= before.mapped + 512 * 1024, `${native.protection().mapped}, ${before.mapped} before`);
});

function end(way, where) {
  return spawnSync(process.execPath, [path.join(__dirname, 'ends_child.js'), way, where], { encoding: 'utf8' });
}

for (const [way, code] of Object.entries({ exit: 7, 'exit in an event': 7, 'an exception': 1, nothing: 0 })) {
  test(`a process ends by ${way}, with calls in flight`, () => {
    const { status, signal, stderr } = end(way, 'in the process');
    assert.equal(signal, null, stderr);
    assert.equal(status, code, stderr);
  });
}

for (const way of ['exit', 'exit in an event', 'an exception', 'nothing', 'terminate']) {
  test(`a worker ends by ${way}, with calls in flight`, () => {
    const { status, signal, stderr } = end(way, 'in a worker');
    assert.equal(signal, null, stderr);
    assert.equal(status, 0, stderr);
  });
}

test('the locks of a worker that is terminated are given back', { skip }, async () => {
  const before = lockedByCaller();
  const worker = new Worker(
    `const memory = require(${JSON.stringify(path.join(__dirname, '../../lib/memory'))});
     const held = Buffer.alloc(1000000);
     const secret = memory.secureAlloc(1000000);
     require('node:worker_threads').parentPort.postMessage(memory.lock(held) && memory.lock(secret));
     setInterval(() => held, 1000);`,
    { eval: true },
  );
  assert.deepEqual(await once(worker, 'message'), [true]);
  const { locked } = native.protection();
  assert.ok(lockedByCaller() - before >= 1_000_000);
  await worker.terminate();
  assert.equal(lockedByCaller(), before);
  assert.ok(native.protection().locked <= locked - 1_000_000);
});

'use strict';

const assert = require('node:assert/strict');
const { randomFill, webcrypto } = require('node:crypto');
const fs = require('node:fs');
const { test } = require('node:test');
const { promisify } = require('node:util');
const { MessageChannel, Worker } = require('node:worker_threads');
const { ArgumentError, Client } = require('..');
const native = require('../lib/native.js');
const { BASE, client, saying } = require('./endpoint.js');
const { collect, gc, sanitized } = require('./memory/process.js');

test('a view is the text, and closing the answer takes it away from everything over its memory', async () => {
  const answer = await client().create(saying('a secret'));
  const view = answer.view('content');
  const slices = [view.subarray(2), new Uint8Array(view.buffer, 1, 3), new DataView(view.buffer), answer.view('content')];
  assert.equal(view.toString(), 'a secret');
  assert.equal(answer.view('/usage/total_tokens').toString(), `${answer.pointer('/usage/total_tokens')}`);
  assert.deepEqual(JSON.parse(answer.view()), answer.json());
  assert.equal(answer.view('toolCalls'), null);
  assert.equal(answer.view('/nothing'), null);
  assert.throws(() => answer.view('content', 1), RangeError);
  assert.throws(() => answer.view('usage'), ArgumentError);
  answer.close();
  answer.close();
  assert.ok(answer.closed);
  assert.deepEqual([view.length, slices[0].length, slices[1].length, slices[3].length], [0, 0, 0, 0]);
  assert.equal(view[0], undefined);
  assert.throws(() => slices[2].getUint8(0), TypeError);
  for (const use of [() => answer.view(), () => answer.content(), () => answer.json(), () => answer.payloadId]) {
    assert.throws(use, ArgumentError);
  }
});

test('what is written to a view changes no answer, and an empty text is an empty view', async () => {
  const answer = await client().create(saying('', { reply: '', reasoning: 'thought' }));
  assert.equal(answer.view('content').length, 0);
  assert.equal(answer.content(), '');
  answer.view('').fill(0xff);
  answer.view('reasoning').fill(0xff);
  assert.equal(answer.reasoning(), 'thought');
  assert.equal(answer.json().choices[0].message.reasoning_content, 'thought');
  answer.close();
});

test('closing does not take the memory from under a call in flight', async () => {
  const words = 'word '.repeat(100_000);
  const nothing = await fs.promises.open('/dev/null', 'w');
  const mapped = () => native.protection().mapped;
  await collect();
  const before = mapped();
  let calls = [];
  let held = [];
  for (let i = 0; i < 10; i += 1) {
    const answer = await client().create(saying(words));
    const view = answer.view('content');
    calls.push(nothing.write(view), promisify(randomFill)(view), webcrypto.subtle.digest('SHA-256', view));
    held.push(view.subarray(8));
    answer.close();
  }
  await collect();
  const outcomes = await Promise.allSettled(calls);
  assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
  // A sanitized addon has its views in the system's heap.
  assert.ok(sanitized || mapped() > before + 10 * words.length, `${mapped()} bytes, ${before} before`);
  calls = held = undefined;
  outcomes.length = 0;
  await collect();
  assert.ok(mapped() < before + 5 * words.length, `${mapped()} bytes, ${before} before`);
  await nothing.close();
});

test('a view outlives an answer that nobody has any more', async () => {
  let answer = await client().create(saying('still here'));
  const view = answer.view('content');
  answer = null;
  await collect();
  assert.equal(view.toString(), 'still here');
});

test('a view cannot be moved to another thread, only copied, and the copy is a thread\'s own', async () => {
  const answer = await client().create(saying('for a worker'));
  const view = answer.view('content');
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     parentPort.on('message', (bytes) => setTimeout(() => parentPort.postMessage(Buffer.from(bytes).toString()), 50));`,
    { eval: true },
  );
  worker.postMessage(view);
  const told = new Promise((done) => worker.once('message', done));
  // Node 21 and later say so; the earlier ones copy instead. Either way the memory stays here.
  const { port1, port2 } = new MessageChannel();
  for (const move of [
    () => worker.postMessage(view, [view.buffer]),
    () => port1.postMessage(view, [view.buffer]),
    () => structuredClone(view, { transfer: [view.buffer] }),
  ]) {
    try {
      move();
    } catch (error) {
      assert.equal(error.name, 'DataCloneError');
    }
    assert.equal(view.toString(), 'for a worker', 'it was not taken away');
  }
  port1.close();
  port2.close();
  answer.close();
  assert.equal(view.length, 0);
  assert.equal(await told, 'for a worker');
  await worker.terminate();
});

test('contents that were moved to another ArrayBuffer of the same thread read as zeros', async (t) => {
  if (!ArrayBuffer.prototype.transfer) return t.skip('this Node has no ArrayBuffer.prototype.transfer');
  const answer = await client().create(saying('moved'));
  const moved = answer.view('content').buffer.transfer();
  assert.equal(Buffer.from(moved).toString(), 'moved');
  assert.equal(answer.view('content').toString(), 'moved', 'a view is made anew');
  answer.close();
  await collect();
  assert.deepEqual([...new Uint8Array(moved)], [0, 0, 0, 0, 0]);
});

test('answers, views, slices and clients may be dropped in any order, ten thousand times', async () => {
  const sealing = client();
  const { pem } = await sealing.serverKey();
  // One sealed request and its answer, opened again and again: no network, and the whole life of an answer.
  const sealed = await sealing.seal(pem, saying('dropped'));
  const posted = await fetch(`${process.env.NOMYO_TEST_PLAIN_BASE_URL}/v1/chat/secure_completion`, {
    method: 'POST',
    headers: sealed.headers,
    body: sealed.body,
  });
  const body = Buffer.from(await posted.arrayBuffer());
  let state = 1;
  const random = (n) => {
    state = (state * 48271) % 0x7fffffff;
    return state % n;
  };
  const kept = [];
  let made = 0;
  let checked = 0;
  while (made < 10_000) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => sealing.open(sealed, body)));
    for (const answer of answers) {
      const views = Array.from({ length: 4 }, () => answer.view(['content', '', '/choices', '/usage'][random(4)]));
      made += views.length;
      const slice = views[0].subarray(random(3));
      // Who is dropped at once, who later, and who is closed, is up to chance.
      if (random(2)) answer.close();
      if (random(3)) kept.push(slice);
      if (random(3)) kept.push(views[1]);
      if (random(4) === 0) kept.push({ answer, view: views[2] });
    }
    while (kept.length > 100) kept.splice(random(kept.length), 1);
    for (const thing of kept) {
      if (thing.answer && !thing.answer.closed) {
        assert.equal(thing.answer.content(), 'dropped');
        assert.ok(thing.view.length > 0);
        checked += 1;
      }
    }
    if (random(4) === 0) gc();
  }
  assert.ok(checked > 0);
  kept.length = 0;
  await collect();
});

test('a client that nobody has any more goes on with its call', async () => {
  let call = new Client(BASE).create(saying('alone', { delay_before_headers_ms: 200 }));
  await collect();
  assert.equal((await call).content(), 'alone');
  call = null;
  await collect();
});

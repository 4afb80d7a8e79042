'use strict';

// The signal and the timeout end every method that can block, whatever it waits for.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { APITimeoutError, ArgumentError, CancelledError, Client } = require('..');
const { NEED_KEYS, NEED_SERVER, PASSWORD, lockedDirectory, methods, silentServer } = require('./blocked.js');
const { BASE, client } = require('./endpoint.js');

/** How much later than its limit a call may end. The library's own tests assert less; this machine may be busy. */
const GRACE = 1000;
const late = [];
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-limits-'));
let calls;

test.before(async () => {
  await client().saveKeys(path.join(scratch, 'encrypted'), PASSWORD);
  const encrypted = path.join(scratch, 'encrypted', 'private_key.pem');
  calls = methods({ scratch, encrypted, serverPem: (await client().serverKey()).pem });
});

test.after(() => {
  fs.rmSync(scratch, { recursive: true });
  late.sort((a, b) => a - b);
  const at = (share) => late[Math.min(late.length - 1, Math.floor(late.length * share))].toFixed(0);
  console.log(`# ${late.length} calls ended after their limit by: median ${at(0.5)} ms, 90 % ${at(0.9)} ms, most ${at(1)} ms`);
});

/** Waits until `call` rejects, which it must do soon after `limit`. */
async function rejection(call, limit, what) {
  const begun = performance.now();
  const error = await call.then(() => assert.fail(`${what} was not ended`), (error) => error);
  const over = performance.now() - begun - limit;
  assert.ok(over < GRACE, `${what} ended ${over.toFixed(0)} ms after its limit: ${error}`);
  late.push(Math.max(0, over));
  return error;
}

/** Checks that the timeout and the signal end each of the methods `names`, each on a client of its own. */
async function endedByBoth(names, options, limit) {
  for (const name of names) {
    const timedOut = await rejection(calls[name](new Client(options), { timeout: limit }, options.keyDir), limit, `${name} with a timeout`);
    assert.ok(timedOut instanceof APITimeoutError, `${name}: ${timedOut}`);
    assert.equal(timedOut.sent, 'no');
    const controller = new AbortController();
    const call = calls[name](new Client(options), { signal: controller.signal }, options.keyDir);
    setTimeout(() => controller.abort(new Error('enough')), limit);
    const cancelled = await rejection(call, limit, `${name} with a signal`);
    assert.ok(cancelled instanceof CancelledError, `${name}: ${cancelled}`);
    assert.equal(cancelled.cause.message, 'enough');
    assert.equal(cancelled.sent, 'no');
  }
}

test('keys that are being generated', () => endedByBoth(NEED_KEYS, BASE, 5));

test('a password that is being derived', () => endedByBoth(['loadKeys', 'loadKeysPem'], BASE, 5));

test('a server that says nothing', async (t) => {
  await endedByBoth(NEED_SERVER, { ...BASE, baseUrl: await silentServer(t) }, 100);
});

test('a key directory that another process has locked', { skip: process.platform !== 'linux' && 'needs flock(1)' }, async (t) => {
  await endedByBoth(NEED_KEYS, { ...BASE, keyDir: await lockedDirectory(t, scratch) }, 100);
});

test("the client's own timeout bounds every method", async (t) => {
  const options = { ...BASE, baseUrl: await silentServer(t), timeout: 50 };
  for (const name of NEED_SERVER) {
    const error = await rejection(calls[name](new Client(options)), 50, name);
    assert.ok(error instanceof APITimeoutError, `${name}: ${error}`);
  }
  for (const name of NEED_KEYS) {
    const error = await rejection(calls[name](new Client({ ...BASE, timeout: 5 })), 5, name);
    assert.ok(error instanceof APITimeoutError, `${name}: ${error}`);
  }
});

test('a signal that was aborted before ends every method, before it does anything', async () => {
  const unused = new Client(BASE);
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(call(unused, { signal: AbortSignal.abort() }), CancelledError, name);
    assert.deepEqual(fs.readdirSync(scratch).filter((file) => file.startsWith('saved')), []);
  }
});

test('a limit that cannot be used is refused by every method', async () => {
  for (const [name, call] of Object.entries(calls)) {
    for (const limits of [{ timeout: 0 }, { timeout: '5' }, { signal: {} }, 5]) {
      await assert.rejects(call(client(), limits), ArgumentError, `${name} ${JSON.stringify(limits)}`);
    }
    await assert.rejects(call(client(), { timeOut: 5 }), TypeError, name);
  }
});

test('within its limits every method does what it does without', async () => {
  const mine = new Client(BASE);
  const limits = () => ({ timeout: 60_000, signal: new AbortController().signal });
  for (const call of Object.values(calls)) await call(mine, limits());
});

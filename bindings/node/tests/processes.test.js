'use strict';

// Threads and processes that end while calls are under way: an error or success, never a crash.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { Client } = require('..');
const { NEED_KEYS, NEED_SERVER, lockedDirectory, silentServer } = require('./blocked.js');
const { BASE, client, control, saying, slow, underWay } = require('./endpoint.js');

const PRELUDE = `
  const { Client } = require(${JSON.stringify(path.join(__dirname, '..'))});
  const { BASE, saying, slow } = require(${JSON.stringify(path.join(__dirname, 'endpoint.js'))});
  const quiet = { error() {}, warn() {}, info() {}, debug() {} };
`;

/** Runs a program; how it ended, and what it wrote. */
async function run(program, ...flags) {
  const child = spawn(process.execPath, [...flags, '-e', PRELUDE + program], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const [code, signal] = await once(child, 'close');
  return { code, signal, output };
}

/** Starts calls in a program, waits until the endpoint has them, then lets \`end\` end it. */
const withCalls = (end) => `
  const client = new Client({ ...BASE, log: quiet, logLevel: 'debug' });
  client.warmUp().then(async () => {
    const { underWay, control } = require(${JSON.stringify(path.join(__dirname, 'endpoint.js'))});
    const { requests } = await control('stats');
    const calls = Array.from({ length: 20 }, () => client.create(slow()));
    for (const call of calls) call.catch((e) => console.log(e.status));
    await underWay(requests, 20);
    client.serverKey().catch(() => {});
    client.generateKeys().catch(() => {});
    ${end}
  });
`;

for (const [what, end, code] of [
  ['process.exit()', 'process.exit(7);', 7],
  ['process.exit() while calls begin', 'client.create(slow()); client.warmUp(); process.exit(8);', 8],
  ['an exception that nobody catches', 'setTimeout(() => { throw new Error("mine") });', 1],
  ['closing and exiting', 'client.close(); process.exit(9);', 9],
  ['process.exit() in the callback of a call that ends', 'client.create(saying("x")).then(() => process.exit(10));', 10],
  ['process.exit() whose handler calls', "process.on('exit', () => { client.create(slow()).catch(() => {}); client.close(); }); process.exit(11);", 11],
]) {
  test(`${what} with calls under way ends the process, as asked`, async () => {
    const ended = await run(withCalls(end));
    assert.deepEqual([ended.code, ended.signal], [code, null], ended.output);
  });
}

test('a process lives until its calls have ended, and not longer', async () => {
  const ended = await run(`
    const client = new Client(BASE);
    client.create(saying('x', { delay_before_headers_ms: 300 })).then((answer) => console.log('said', answer.content()));
  `);
  assert.deepEqual(ended, { code: 0, signal: null, output: 'said x\n' });
  assert.deepEqual(await run("new Client({ ...BASE, log: quiet, logLevel: 'debug' });"), { code: 0, signal: null, output: '' });
});

test('calls that end while the process does, again and again', async () => {
  const ended = await run(`
    const { Worker } = require('node:worker_threads');
    const client = new Client(BASE);
    client.warmUp().then(async () => {
      for (let i = 0; i < 50; i += 1) client.create(saying('x', { delay_before_headers_ms: i })).then((a) => a.view());
      setTimeout(() => process.exit(0), 120);
    });
  `);
  assert.deepEqual([ended.code, ended.signal], [0, null], ended.output);
});

const worker = (program) => new Worker(PRELUDE + `const { parentPort } = require('node:worker_threads');` + program, { eval: true });

test('each worker has a client of its own', async () => {
  const workers = Array.from({ length: 3 }, (_, i) =>
    worker(`new Client(BASE).create(saying('worker ${i}')).then((answer) => parentPort.postMessage(answer.content()));`),
  );
  const said = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  assert.deepEqual(said, ['worker 0', 'worker 1', 'worker 2']);
  await Promise.all(workers.map((worker) => worker.terminate()));
});

test('a worker that is terminated with calls under way takes nothing along', async () => {
  await client().warmUp();
  for (let round = 0; round < 5; round += 1) {
    const { requests } = await control('stats');
    const doomed = worker(`
      const client = new Client({ ...BASE, log: quiet, logLevel: 'debug' });
      let views = [];
      client.warmUp().then(() => {
        for (let i = 0; i < 5; i += 1) client.create(slow());
        const again = () => client.create(saying('x')).then((answer) => { views.push(answer.view()); again(); });
        again();
      });
    `);
    const mine = client().create(saying('mine', { delay_before_headers_ms: 500 }));
    await underWay(requests, 8);
    assert.equal(await doomed.terminate(), 1);
    assert.equal((await mine).content(), 'mine');
  }
});

for (const [what, end, code, thrown] of [
  ['process.exit()', 'process.exit(3);', 3],
  ['an exception that nobody catches', 'setTimeout(() => { throw new Error("mine") });', 1, 'mine'],
  ['process.exit() whose handler calls', "process.on('exit', () => { client.create(slow()).catch(() => {}); client.close(); }); process.exit(4);", 4],
]) {
  test(`${what} in a worker with calls under way ends the worker, and the process goes on`, async () => {
    const ending = worker(withCalls(end));
    let error;
    ending.on('error', (given) => (error = given));
    assert.equal(await new Promise((done) => ending.on('exit', done)), code);
    assert.equal(error?.message, thrown);
    assert.equal((await client().create(saying('the process'))).content(), 'the process');
  });
}

test('a worker that is terminated cancels its calls', { timeout: 120_000 }, async () => {
  const { requests } = await control('stats');
  const doomed = worker('new Client(BASE).create(slow());');
  await underWay(requests, 1);
  await doomed.terminate();
  const threads = () => fs.readdirSync('/proc/self/task').length;
  const before = threads();
  // The thread of the call ends by itself, with the call: at the latest when it notices, a twentieth of a second later.
  while (process.platform === 'linux' && callThreads() > 0) await new Promise((done) => setTimeout(done, 10));
  assert.ok(threads() <= before);
});

test('a worker that is terminated ends every method, whatever it waits for', { skip: process.platform !== 'linux' }, async (t) => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-worker-'));
  t.after(() => fs.rmSync(scratch, { recursive: true }));
  const serverPem = (await client().serverKey()).pem;
  const [baseUrl, keyDir] = [await silentServer(t), await lockedDirectory(t, scratch)];
  const doomed = worker(`
    const { methods } = require(${JSON.stringify(path.join(__dirname, 'blocked.js'))});
    const calls = methods(${JSON.stringify({ scratch, serverPem })});
    const forever = { connectTimeout: 900_000, maxRetries: 0 };
    const silent = new Client({ ...BASE, ...forever, baseUrl: ${JSON.stringify(baseUrl)} });
    const locked = new Client({ ...BASE, keyDir: ${JSON.stringify(keyDir)} });
    for (const name of ${JSON.stringify(NEED_SERVER)}) calls[name](silent).catch(() => {});
    for (const name of ${JSON.stringify(NEED_KEYS)}) calls[name](locked, undefined, ${JSON.stringify(keyDir)}).catch(() => {});
    parentPort.postMessage('begun');
  `);
  await once(doomed, 'message');
  await new Promise((done) => setTimeout(done, 500));
  assert.equal(callThreads(), NEED_SERVER.length + NEED_KEYS.length);
  await doomed.terminate();
  const begun = performance.now();
  while (callThreads() > 0 && performance.now() < begun + 5000) await new Promise((done) => setTimeout(done, 10));
  assert.equal(callThreads(), 0);
});

/** How many threads of this process are in a call. */
function callThreads() {
  return fs.readdirSync('/proc/self/task').filter((id) => {
    try {
      return fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').startsWith('nomyo-call');
    } catch {
      return false;
    }
  }).length;
}

test('a closed client lets its calls end, and takes no other', async () => {
  const closing = new Client(BASE);
  await closing.warmUp();
  const { requests } = await control('stats');
  const call = closing.create(saying('under way', { delay_before_headers_ms: 300 }));
  await underWay(requests, 1);
  closing.close();
  closing.close();
  await assert.rejects(closing.create(saying('x')), { status: 'NOMYO_ERR_ARGUMENT', message: /closed/ });
  await assert.rejects(closing.warmUp(), { status: 'NOMYO_ERR_ARGUMENT' });
  assert.equal((await call).content(), 'under way');
});

test('Symbol.dispose, where there is one, closes', async (t) => {
  if (!Symbol.dispose) return t.skip('this Node has no Symbol.dispose');
  const closing = new Client(BASE);
  closing[Symbol.dispose]();
  await assert.rejects(closing.serverKey(), /closed/);
  const answer = await client().create(saying('x'));
  answer[Symbol.dispose]();
  assert.ok(answer.closed);
});

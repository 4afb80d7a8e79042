'use strict';

// The threads that calls run on. Each test runs in a process of its own, whose threads it counts.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');

const PRELUDE = `
  const assert = require('node:assert/strict');
  const fs = require('node:fs');
  const os = require('node:os');
  const { setTimeout: sleep } = require('node:timers/promises');
  const { Client, CancelledError, APITimeoutError } = require(${JSON.stringify(path.join(__dirname, '..'))});
  const { BASE, control, saying, slow } = require(${JSON.stringify(path.join(__dirname, 'endpoint.js'))});

  /** The ids of the threads whose name begins so. */
  const threads = (name) => fs.readdirSync('/proc/self/task').filter((id) => {
    try {
      return fs.readFileSync('/proc/self/task/' + id + '/comm', 'utf8').startsWith(name);
    } catch {
      return false; // it has ended
    }
  });
  const processors = os.availableParallelism?.() ?? os.cpus().length;
  const client = new Client(BASE);
`;

/** Runs `program` in a process, which has to end well, and within two minutes. */
async function run(program) {
  const body = `${PRELUDE}(async () => {${program}})().catch((error) => { console.error(error); process.exit(1); });`;
  const child = spawn(process.execPath, ['-e', body], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], [0, null], output);
}

const linux = { skip: process.platform !== 'linux' && 'needs /proc' };

test('calls in sequence start no new thread', linux, () =>
  run(`
    await client.warmUp();
    const [first] = threads('nomyo-call');
    for (let i = 0; i < 20; i += 1) assert.equal((await client.create(saying('x' + i))).content(), 'x' + i);
    assert.deepEqual(threads('nomyo-call'), [first]);
  `));

test('idle threads end, and a later call works', linux, () =>
  run(`
    await Promise.all(Array.from({ length: 4 }, () => client.create(saying('x'))));
    assert.notEqual(threads('nomyo-call').length, 0);
    while (threads('nomyo-call').length + threads('nomyo-starter').length > 0) await sleep(50);
    assert.equal((await client.create(saying('later'))).content(), 'later');
  `));

test('200 calls in one turn all end right, and short ones share threads', linux, () =>
  run(`
    await client.warmUp();
    const texts = Array.from({ length: 200 }, (_, i) => 'text ' + i);
    const answers = await Promise.all(texts.map((text) => client.create(saying(text))));
    assert.deepEqual(answers.map((answer) => answer.content()), texts);
    const used = threads('nomyo-call').length;
    assert.ok(used < 200, used + ' threads');
  `));

test('calls that wait for their answers do not hold up others', () =>
  run(`
    await client.warmUp();
    const { requests } = await control('stats');
    const ending = new AbortController();
    const waiting = Array.from({ length: 100 }, () => client.create(slow(), { signal: ending.signal }));
    assert.equal((await client.create(saying('another'))).content(), 'another');
    while ((await control('stats')).requests < requests + 101) await sleep(10);
    ending.abort();
    for (const { reason } of await Promise.allSettled(waiting)) assert.ok(reason instanceof CancelledError, String(reason));
  `));

test('calls that wait for a thread obey their signals and timeouts, and what is reported as not sent is not', () =>
  run(`
    await client.warmUp();
    const { requests } = await control('stats');
    const ending = new AbortController();
    const { signal } = ending;
    const calls = Array.from({ length: 500 }, (_, i) => client.create(slow(), i % 2 ? { signal } : { timeout: 1 }));
    ending.abort();
    const ended = await Promise.allSettled(calls);
    ended.forEach(({ reason }, i) => assert.ok(reason instanceof (i % 2 ? CancelledError : APITimeoutError), String(reason)));
    const left = ended.filter(({ reason }) => reason.sent !== 'no').length;
    assert.ok((await control('stats')).requests <= requests + left);
  `));

test('calls of several workers share the threads', linux, () =>
  run(`
    const { Worker } = require('node:worker_threads');
    const program = ${JSON.stringify(PRELUDE)} + "client.create(saying('x')).then((answer) => process.exit(answer.content() === 'x' ? 5 : 6));";
    for (let i = 0; i < 3; i += 1) {
      const worker = new Worker(program, { eval: true });
      assert.equal(await new Promise((done) => worker.on('exit', done)), 5);
      assert.ok(threads('nomyo-call').length <= processors);
    }
  `));

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { ArgumentError, Client, SecurityError, version } = require('..');
const { BASE, client, control, saying } = require('./endpoint.js');

test('an object is sent, and its answer comes back decrypted', async () => {
  const answer = await client().create(saying('Grüße "aus" Node\\\u0000 😀'));
  assert.equal(answer.content(), 'Grüße "aus" Node\\\u0000 😀');
  assert.equal(answer.choiceCount, 1);
  assert.equal(answer.choices.length, 1);
  assert.equal(answer.finishReason(), 'stop');
  assert.equal(answer.reasoning(), null);
  assert.equal(answer.toolCalls(), null);
  assert.equal(answer.pointer('/_metadata/payload_id'), answer.payloadId);
  assert.equal(answer.pointer('/nothing'), undefined);
  assert.equal(answer.pointer('content'), undefined, 'the name of a member is no pointer');
  assert.deepEqual(answer.json(), answer.pointer(''));
  assert.equal(answer.json().choices[0].message.content, answer.content());
  assert.throws(() => answer.content(1), RangeError);
  assert.throws(() => answer.content(-1), ArgumentError);
  answer.close();
});

test('bytes of every kind are taken, and may be wiped as soon as create() has returned', async () => {
  const json = Buffer.from(JSON.stringify(saying('hush')));
  const padded = new Uint8Array(json.length + 20);
  padded.set(json, 10);
  const kinds = [
    () => Buffer.from(json),
    () => new Uint8Array(json),
    () => new Uint8Array(json).buffer,
    () => new DataView(new Uint8Array(json).buffer),
    () => padded.subarray(10, 10 + json.length),
  ];
  for (const make of kinds) {
    const bytes = make();
    const call = client().create(bytes);
    const view = ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes);
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).fill(0);
    assert.equal((await call).content(), 'hush');
  }
});

test('what is no request is refused with a sentence, and never sent', async () => {
  const { requests } = await control('stats');
  const cyclic = {};
  cyclic.self = cyclic;
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  for (const [request, why] of [
    [undefined, /an object, or JSON as bytes, not a undefined/],
    ['{}', /not a string/],
    [[], /not an object \(Array\)/],
    [cyclic, /a cycle/],
    [{ n: 1n }, /BigInt/],
    [shared, /shared memory/],
    [Buffer.from('{"model":'), /JSON/],
    [{}, /./],
    [{ ...saying('x'), stream: true }, /stream/],
  ]) {
    await assert.rejects(client().create(request), (error) => {
      assert.ok(error instanceof ArgumentError, `${error}`);
      assert.equal(error.status, 'NOMYO_ERR_ARGUMENT');
      assert.match(error.message, why);
      return true;
    });
  }
  assert.equal((await control('stats')).requests, requests);
});

test('an option that has no right value is named', async () => {
  for (const [options, why] of [
    [{ timeout: '5' }, /timeout must be a number of milliseconds, not a string/],
    [{ timeout: 0 }, /timeout of 0/],
    [{ timeout: NaN }, /timeout/],
    [{ maxRetries: 1.5 }, /maxRetries must be a whole number/],
    [{ maxRetries: 11 }, /at most 10/],
    [{ allowHttp: 'no' }, /allowHttp must be true or false/],
    [{ apiKey: 5 }, /apiKey must be bytes/],
    [{ apiKey: 'a\nb' }, /line break/],
    [{ memory: 'always' }, /memory must be one of: off, prefer, require/],
    [{ rateLimit: { perSecond: 2 } }, /rateLimit is such as/],
    [{ rateLimit: { perSecond: NaN, burst: 1 } }, /./],
    [{ responseLimit: 0 }, /response limit/],
    [{ caFile: '' }, /caFile must be a path/],
    [{ caFile: 'a\0b' }, /NUL/],
    [{ serverKeyPins: ['x'] }, /pin/],
    [{ keyPassword: 'a password' }, /key directory/],
    [{ attestation: { require: 'absolute' } }, /require must be one of: consistent, baseline/],
    [{ attestation: { pcrs: { sha256: '00' } } }, /sha256:7/],
    [{ log: () => {} }, /log has the methods error, warn, info, debug/],
    [{ proxy: 'ftp://127.0.0.1' }, /proxy/i],
    [{ serverKeyPins: [] }, /serverKeyPins is empty/],
    [{ tlsPins: [] }, /tlsPins is empty/],
    [{ postQuantum: 'no' }, /postQuantum must be true or false/],
    [{ serverKeyPins: new Array(2) }, /serverKeyPins is empty/],
    [{ keyDir: 'keys', keyPassword: '' }, /keyPassword is empty/],
    ['url', /the options of a client must be a plain object/],
  ]) {
    assert.throws(() => new Client(typeof options === 'string' ? options : { ...BASE, ...options }), (error) => {
      assert.ok(error instanceof ArgumentError, `${error}`);
      assert.match(error.message, why);
      return true;
    }, JSON.stringify(options));
  }
  assert.throws(() => new Client({ ...BASE, baseUrl: 'http://127.0.0.1:1' }), SecurityError);
  await assert.rejects(client().create(saying('x'), { signal: {} }), /signal must be an AbortSignal/);
});

test('options of a call act on that call alone', async () => {
  const high = await client().create(saying('x'), { securityTier: 'high' });
  assert.equal(high.pointer('/_metadata/security_tier'), 'high');
  await assert.rejects(
    client().create(saying('x', { delay_before_headers_ms: 60_000 }), { timeout: 50.5 }),
    { status: 'NOMYO_ERR_TIMEOUT', name: 'APITimeoutError' },
  );
  assert.equal((await client().create(saying('still here'))).content(), 'still here');
});

test('the API key is text or bytes, which may be wiped as soon as the client is there', async () => {
  const url = { baseUrl: process.env.NOMYO_TEST_BASE_URL };
  const key = Buffer.from('a key');
  assert.throws(() => new Client({ ...BASE, ...url, apiKey: key }), /visible ASCII/, 'bytes are read');
  const good = Buffer.from('good-key');
  const kept = new Client({ ...BASE, apiKey: good });
  good.fill(0);
  assert.equal((await kept.create(saying('with a key'))).content(), 'with a key');
});

test('a logger gets lines on the event loop, up to its level', async () => {
  const lines = [];
  const write = (level) => (line) => lines.push([level, line]);
  const log = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
  const logging = new Client({ ...BASE, log, logLevel: 'debug' });
  (await logging.create(saying('a secret prompt'))).close();
  await new Promise((done) => setTimeout(done, 100));
  assert.ok(lines.some(([level, line]) => level === 'debug' && line.includes('/v1/chat/secure_completion')), `${lines}`);
  assert.ok(lines.every(([, line]) => !line.includes('secret prompt')));
  const errors = [];
  const quiet = { error: (line) => errors.push(line), warn: assert.fail, info: assert.fail, debug: assert.fail };
  const failing = new Client({ ...BASE, log: quiet, logLevel: 'error' });
  await assert.rejects(failing.create(saying('x', { status: 400 })));
  await new Promise((done) => setTimeout(done, 100));
  assert.ok(errors.length > 0);
});

test('the server sees which binding it is', async () => {
  assert.match(version, /^\d+\.\d+\.\d+$/);
  // The endpoint does not tell; a server of our own does.
  const http = require('node:http');
  const agents = [];
  const server = http.createServer((request, response) => {
    agents.push(request.headers['user-agent']);
    response.statusCode = 400;
    response.end('{}');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const plain = new Client({ baseUrl: `http://127.0.0.1:${server.address().port}`, allowHttp: true, environment: false });
  await assert.rejects(plain.serverKey());
  server.close();
  server.closeAllConnections();
  assert.match(agents[0], new RegExp(`^nomyo-native/${version} \\(node/${version}; \\w+-\\w+\\)$`));
});

test('200 calls at once end, each with its own answer, while the event loop goes on', async () => {
  await client().warmUp();
  let turns = 0;
  let longest = 0;
  let last = performance.now();
  const tick = setInterval(() => {
    turns += 1;
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  const begun = performance.now();
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => client().create(saying(`number ${i}`))));
  const took = performance.now() - begun;
  clearInterval(tick);
  assert.ok(turns > 0, 'the loop has turned meanwhile');
  answers.forEach((answer, i) => assert.equal(answer.content(), `number ${i}`));
  answers.forEach((answer) => answer.close());
  console.log(`# 200 calls at once: ${took.toFixed(0)} ms; the event loop was blocked for ${longest.toFixed(1)} ms at most`);
});

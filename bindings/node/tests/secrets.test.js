'use strict';

// A program that prints its objects, writes them as JSON or clones them shows no secret by it.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { inspect } = require('node:util');
const { ArgumentError, Client, secureAlloc, SecureChatCompletion, SecureCompletionClient, verifyAttestation } = require('..');
const { BASE, client, saying } = require('./endpoint.js');

process.env.SSL_CERT_FILE = process.env.NOMYO_TEST_CA_FILE;
const SECRET = 'hunter2-hunter2';
const PROXY = `http://me:${SECRET}@127.0.0.1:1`;
const SHOWN = new RegExp(`hunter2|${inspect(Buffer.from('hunter')).slice(8, -1)}|${[...Buffer.from('hunter')]}`);

/** All that programs write of a value without asking for its parts. */
function everyForm(value) {
  const json = JSON.stringify({ value }, (name, part) => (typeof part === 'bigint' ? `${part}` : part));
  const cloned = value instanceof Buffer ? '' : inspect(structuredClone(value), { depth: 9 });
  return [inspect(value, { depth: 9, showHidden: true }), inspect({ value }, { depth: 9 }), json, cloned, `${value?.stack}`];
}

function hides(value, forms = everyForm(value)) {
  for (const form of forms) assert.doesNotMatch(form, SHOWN);
}

test('the forms that are looked at do show a secret that is not hidden', () => {
  for (const value of [{ SECRET }, new Error(SECRET), Buffer.from(SECRET)]) {
    assert.ok(everyForm(value).some((form) => SHOWN.test(form)));
  }
});

test('clients and sealed requests show nothing', async () => {
  const secrets = { apiKey: SECRET, headers: { 'X-Gateway-Key': SECRET }, proxy: PROXY, keyDir: 'nowhere', keyPassword: SECRET };
  hides(new Client({ ...BASE, ...secrets }));
  assert.deepEqual(structuredClone(client()), {}, 'a worker gets an empty object');
  hides(new SecureChatCompletion({ apiKey: SECRET, keyRotationDir: 'nowhere', keyRotationPassword: SECRET }));
  hides(new SecureCompletionClient({ apiKey: SECRET }));
  const sealed = await client().seal((await client().serverKey()).pem, saying(SECRET));
  assert.ok(sealed.body.length > 0);
  hides(sealed);
});

test('an answer that is printed or cloned shows nothing, and its JSON is the answer', async () => {
  const answer = await client().create(saying(SECRET));
  assert.equal(answer.choices[0].message.content, SECRET);
  answer.view('content');
  const [printed, within, json, cloned] = everyForm(answer);
  hides(answer, [printed, within, cloned]);
  assert.match(json, SHOWN);
  assert.deepEqual(structuredClone(answer), {}, 'a worker gets an empty object');
  answer.close();
});

test('a secret and a view show their length, and have their bytes all the same', async () => {
  const secret = secureAlloc(SECRET.length);
  secret.write(SECRET);
  const answer = await client().create(saying(SECRET));
  for (const [buffer, shown] of [
    [secret, `<SecureBuffer of ${SECRET.length} bytes>`],
    [answer.view('content'), `<view of ${SECRET.length} bytes>`],
  ]) {
    hides(buffer, [...everyForm(buffer), inspect([buffer])]);
    assert.equal(inspect(buffer), shown);
    assert.match(inspect(buffer, { customInspect: false }), /104, 117/, 'as MEMORY.md says');
    assert.match(inspect(buffer.subarray(0)), SHOWN, 'as the pages say');
    assert.equal(JSON.stringify({ buffer }), JSON.stringify({ buffer: shown }));
    assert.equal(buffer.toString(), SECRET);
    assert.deepEqual(Object.keys(buffer), Object.keys(Buffer.from(SECRET)));
  }
  secret.close();
  answer.close();
  assert.equal(inspect(secret), '<SecureBuffer of 0 bytes>');
  const key = await client().privateKeyPem();
  assert.match(inspect({ key }), /<SecureBuffer of \d+ bytes>/);
  key.close();
});

/** The names of the options, as the message about an unknown one has them. */
function optionNames() {
  try {
    return new Client({ nonsense: 1 });
  } catch ({ message }) {
    return /There are: (.*)$/.exec(message)[1].split(', ');
  }
}

test('a secret in the place of any option is not in the error', () => {
  const names = optionNames().filter((name) => name !== 'caFile'); // whose error names the path
  assert.ok(names.length > 20);
  const texts = [SECRET, `${SECRET}\n`, PROXY, Buffer.from(SECRET), new Error(SECRET)];
  const within = [[SECRET], [`${SECRET}\n`], { 'X-A': `${SECRET}\n` }, { 'X-A': [SECRET] }, { require: SECRET }];
  const deeper = [{ require: 'consistent', pcrs: { 'sha256:7': SECRET } }, { perSecond: SECRET, burst: SECRET }];
  let errors = 0;
  for (const name of names) {
    for (const value of [...texts, ...within, ...deeper]) {
      try {
        new Client({ ...BASE, [name]: value });
      } catch (error) {
        errors += 1;
        hides(error);
      }
    }
  }
  assert.ok(errors > 100, `${errors}`);
});

test('a secret in the place of any argument is not in the error', async () => {
  const answer = await client().create(saying('x'));
  const thrower = { toJSON: () => { throw new Error(SECRET); } };
  for (const call of [
    () => client().create(SECRET),
    () => client().create(Buffer.from(`{"model": ${SECRET}`)),
    () => client().create(thrower),
    () => client().create(saying('x'), SECRET),
    () => client().create(saying('x'), {}, SECRET),
    () => client().create(saying('x'), {}, Buffer.from(SECRET)),
    () => client().create(saying('x'), { securityTier: SECRET }),
    () => client().create(saying('x'), { apiKey: `${SECRET}\n` }),
    () => client().create(saying('x'), { timeout: SECRET }),
    () => client().create({ ...saying('x'), security_tier: SECRET }),
    () => client().create({ ...saying('x'), api_key: `${SECRET}\n` }),
    () => client().loadKeysPem(SECRET, SECRET, SECRET),
    () => client().loadKeys('/nowhere', undefined, SECRET),
    () => client().seal(SECRET, saying(SECRET)),
    () => client().open(SECRET, Buffer.from(SECRET)),
    () => verifyAttestation(thrower, 'id'),
    () => verifyAttestation({}, 'id', { require: SECRET }),
    () => answer.view(SECRET),
    () => answer.content(SECRET),
  ]) {
    await assert.rejects(async () => call(), (error) => {
      hides(error);
      return true;
    }, `${call}`);
  }
});

test('the reason of a signal is the cause of the error, and not in its JSON', async () => {
  const error = await client().create(saying('x'), { signal: AbortSignal.abort(SECRET) }).then(assert.fail, (error) => error);
  assert.equal(error.cause, SECRET);
  assert.doesNotMatch(JSON.stringify(error), SHOWN);
});

test('log lines of every level show neither prompts nor keys nor answers', { timeout: 120_000 }, async () => {
  const lines = [];
  const log = Object.fromEntries(['error', 'warn', 'info', 'debug'].map((level) => [level, (line) => lines.push(line)]));
  const logging = { ...BASE, apiKey: SECRET, headers: { 'X-Gateway-Key': SECRET }, log, logLevel: 'debug', maxRetries: 0 };
  await new Client(logging).create(saying(SECRET));
  await assert.rejects(new Client(logging).create(saying(SECRET, { status: 401, body: SECRET })));
  await assert.rejects(new Client({ ...logging, proxy: PROXY }).warmUp());
  while (lines.length < 6) await new Promise(setImmediate);
  hides(lines);
});

test('a block that cannot be written as JSON is an ArgumentError', () => {
  for (const block of [undefined, { n: 1n }, new SharedArrayBuffer(8), { toJSON: () => undefined }]) {
    assert.throws(() => verifyAttestation(block, 'id'), ArgumentError);
  }
});

'use strict';

// Facts about the request of a failed call: whether it was sent, under which id, and how often.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { inspect } = require('node:util');
const { Client, NomyoError } = require('..');
const { silentServer } = require('./blocked.js');
const { BASE, client, control, saying, slow, underWay } = require('./endpoint.js');

const once = { maxRetries: 0 };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const failure = (call) => call.then(() => assert.fail('it did not fail'), (error) => error);

test('sent is no if no byte of the request left', async (t) => {
  const unreachable = new Client({ ...BASE, ...once, baseUrl: 'https://127.0.0.1:1' });
  const pinned = new Client({ ...BASE, serverKeyPins: '0'.repeat(64) });
  const silent = new Client({ ...BASE, baseUrl: await silentServer(t) });
  const { requests } = await control('stats');
  for (const [call, status, attempts] of [
    [() => client().create({}), 'NOMYO_ERR_ARGUMENT', 0],
    [() => client().create(saying('x'), { signal: AbortSignal.abort() }), 'NOMYO_ERR_CANCELLED', 0],
    [() => unreachable.create(saying('x')), 'NOMYO_ERR_CONNECTION', undefined],
    [() => pinned.create(saying('x')), 'NOMYO_ERR_PIN', undefined],
    [() => silent.create(saying('x'), { timeout: 200 }), 'NOMYO_ERR_TIMEOUT', undefined],
    [() => client().loadKeys('/nowhere/private_key.pem'), 'NOMYO_ERR_KEY', 0],
  ]) {
    const error = await failure(call());
    assert.equal(error.status, status);
    assert.equal(error.sent, 'no', status);
    assert.equal(error.payloadId, null);
    if (attempts !== undefined) assert.equal(error.attempts, attempts);
  }
  assert.equal((await control('stats')).requests, requests);
});

test('sent is maybe if an attempt left and was not answered', async () => {
  await client(once).warmUp();
  const timedOut = await failure(client(once).create(slow(), { timeout: 300 }));
  const closed = await failure(client(once).create(saying('x', { close: true })));
  const controller = new AbortController();
  const { requests } = await control('stats');
  const call = failure(client(once).create(slow(), { signal: controller.signal }));
  await underWay(requests, 1);
  controller.abort();
  for (const [error, status] of [
    [timedOut, 'NOMYO_ERR_TIMEOUT'],
    [closed, 'NOMYO_ERR_CONNECTION'],
    [await call, 'NOMYO_ERR_CANCELLED'],
  ]) {
    assert.equal(error.status, status, error.message);
    assert.equal(error.sent, 'maybe', status);
    assert.match(error.payloadId, UUID);
    assert.equal(error.attempts, 1);
    assert.doesNotMatch(error.message, /nothing was sent/);
  }
});

test('sent is yes if every attempt was answered', async () => {
  for (const faults of [{ status: 400 }, { status: 503 }, { payload_id: 'another' }, { status: 200, body: 'no package' }]) {
    const error = await failure(client(once).create(saying('x', faults)));
    assert.equal(error.sent, 'yes', inspect(faults));
    assert.match(error.payloadId, UUID);
    assert.equal(error.attempts, 1);
  }
});

test('an answer tells how often its request was sent', async () => {
  const answer = await client().create(saying('x'));
  assert.equal(answer.attempts, 1);
  const headers = { 'retry-after-ms': '10' };
  assert.equal((await client().create(saying('x', { status: 500, headers, times: 2 }))).attempts, 3);
  const sealed = await client().seal((await client().serverKey()).pem, saying('by hand'));
  const { headers: own, body } = sealed;
  const url = `${process.env.NOMYO_TEST_PLAIN_BASE_URL}/v1/chat/secure_completion`;
  const posted = await fetch(url, { method: 'POST', headers: own, body });
  assert.equal((await client().open(sealed, await posted.arrayBuffer())).attempts, 0);
  answer.close();
  assert.throws(() => answer.attempts, /closed/);
});

test('an error that is printed shows what is known about sending', async () => {
  const error = await failure(client(once).create(saying('x', { status: 400 })));
  assert.match(inspect(error), /sent: 'yes'/);
  assert.match(inspect(error), new RegExp(error.payloadId));
  const own = new NomyoError('why');
  assert.deepEqual([own.sent, own.payloadId, own.attempts], ['no', null, 0]);
});

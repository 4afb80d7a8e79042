'use strict';

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const { test } = require('node:test');
const { CancelledError, NomyoError } = require('..');
const { client, control, saying, slow, underWay } = require('./endpoint.js');

function isAbort(reason) {
  return (error) => {
    assert.ok(error instanceof CancelledError && error instanceof NomyoError);
    assert.equal(error.name, 'AbortError');
    assert.equal(error.code, 'ABORT_ERR');
    assert.equal(error.status, 'NOMYO_ERR_CANCELLED');
    assert.equal(error.cause, reason);
    return true;
  };
}

test('a signal that was aborted before sends nothing', async () => {
  const { requests } = await control('stats');
  const reason = new Error('why');
  await assert.rejects(client().create(saying('x'), { signal: AbortSignal.abort(reason) }), isAbort(reason));
  assert.equal((await control('stats')).requests, requests);
});

test('a signal that is aborted meanwhile ends the call, and no other', async () => {
  await client().warmUp();
  const { requests } = await control('stats');
  const controller = new AbortController();
  const call = client().create(slow(), { signal: controller.signal });
  const other = client().create(saying('other', { delay_before_headers_ms: 300 }));
  await underWay(requests, 2);
  const reason = { any: 'value' };
  controller.abort(reason);
  await assert.rejects(call, isAbort(reason));
  assert.equal((await other).content(), 'other');
});

test('many calls share a signal, and a timeout of the platform is one', async () => {
  const warnings = [];
  const warned = (warning) => warnings.push(warning);
  process.on('warning', warned);
  const signal = AbortSignal.timeout(200);
  const calls = await Promise.allSettled(Array.from({ length: 20 }, () => client().create(slow(), { signal })));
  for (const { reason } of calls) isAbort(signal.reason)(reason);
  assert.equal(signal.reason.name, 'TimeoutError');
  await new Promise(setImmediate);
  process.off('warning', warned);
  assert.deepEqual(warnings, []);
});

test('the listener is gone when the call has ended, and aborting later changes nothing', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const answer = await client().create(saying('x'), { signal });
  await assert.rejects(client().create(saying('x', { status: 400 }), { signal }));
  await assert.rejects(client().create(saying('x'), { signal, securityTier: 'none' }));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  controller.abort();
  assert.equal(answer.content(), 'x');
});

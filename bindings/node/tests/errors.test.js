'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const nomyo = require('..');
const { BASE, client, saying } = require('./endpoint.js');

const once = { maxRetries: 0 };

test('an HTTP status is its class, with what the server said', async () => {
  for (const [status, name, code] of [
    [400, 'InvalidRequestError', 'NOMYO_ERR_BAD_REQUEST'],
    [401, 'AuthenticationError', 'NOMYO_ERR_AUTHENTICATION'],
    [403, 'ForbiddenError', 'NOMYO_ERR_FORBIDDEN'],
    [404, 'APIError', 'NOMYO_ERR_NOT_FOUND'],
    [418, 'APIError', 'NOMYO_ERR_HTTP'],
    [429, 'RateLimitError', 'NOMYO_ERR_RATE_LIMIT'],
    [500, 'ServerError', 'NOMYO_ERR_SERVER'],
    [503, 'ServiceUnavailableError', 'NOMYO_ERR_UNAVAILABLE'],
  ]) {
    const body = JSON.stringify({ detail: `no ${status}` });
    const error = await client(once).create(saying('the prompt', { status, body })).then(assert.fail, (error) => error);
    assert.ok(error instanceof nomyo[name] && error instanceof nomyo.APIError && error instanceof nomyo.NomyoError);
    assert.ok(error instanceof Error);
    assert.equal(error.name, name);
    assert.equal(error.status, code);
    assert.equal(error.code, code);
    assert.equal(error.statusCode, status);
    assert.deepEqual(error.errorDetails, { detail: `no ${status}` });
    assert.equal(error.details.toString(), body);
    assert.equal(error.attempts, 1);
    assert.equal(error.retryable, [429, 500, 503].includes(status));
    assert.equal(error.retryAfterMs, null);
    assert.ok(!error.message.includes('the prompt') && !error.message.includes(`no ${status}`));
    assert.match(error.stack, /errors\.test\.js/, 'the stack leads to the caller');
  }
});

test('an error body that is no JSON object is bytes only', async () => {
  for (const body of ['<html>', '[1]', '"text"', 'null', '']) {
    const error = await client(once).create(saying('x', { status: 400, body })).then(assert.fail, (error) => error);
    assert.equal(error.errorDetails, undefined, body);
    assert.equal(error.details?.toString() ?? '', body);
  }
});

test('how long the server wants to be left alone is in milliseconds', async () => {
  const headers = { 'Retry-After': '600' };
  await assert.rejects(client(once).create(saying('x', { status: 429, headers })), { retryAfterMs: 600_000, retryable: false });
});

test('what is not HTTP has classes, too', async () => {
  const { Client } = nomyo;
  const nobody = new Client({ ...BASE, baseUrl: 'https://127.0.0.1:1', maxRetries: 0 });
  await assert.rejects(nobody.warmUp(), (error) => {
    assert.ok(error instanceof nomyo.APIConnectionError && !(error instanceof nomyo.APIError));
    assert.equal(error.status, 'NOMYO_ERR_CONNECTION');
    assert.equal(error.statusCode, undefined);
    return true;
  });
  await assert.rejects(client(once).create(saying('x', { payload_id: 'another' })), nomyo.SecurityError);
  await assert.rejects(client(once).create(saying('x', { status: 200, body: 'no package' })), nomyo.ProtocolError);
  await assert.rejects(client(once).loadKeys('/nowhere/private_key.pem'), nomyo.ClientKeyError);
  assert.throws(() => new Client({ ...BASE, caFile: '/nowhere' }), nomyo.FileError);
  await assert.rejects(client(once).create(saying('x'), { timeout: 1 }), (error) => {
    assert.ok(error instanceof nomyo.APITimeoutError && error instanceof nomyo.APIConnectionError);
    return true;
  });
});

test('the classes can be made as those of nomyo-js', () => {
  for (const [name, status] of Object.entries({
    InvalidRequestError: 400,
    AuthenticationError: 401,
    ForbiddenError: 403,
    RateLimitError: 429,
    ServerError: 500,
    ServiceUnavailableError: 503,
  })) {
    const error = new nomyo[name]('why');
    assert.deepEqual([error.message, error.statusCode, error.errorDetails], ['why', status, undefined]);
    assert.equal(`${error}`, `${name}: why`);
  }
  const error = new nomyo.APIError('why', 402, { detail: 1 });
  assert.deepEqual([error.statusCode, error.errorDetails], [402, { detail: 1 }]);
});

test('the type of a status has every name of the C header, and no other', () => {
  const named = (file, pattern) => [...fs.readFileSync(path.join(__dirname, file), 'utf8').matchAll(pattern)].map(([, name]) => name);
  const header = named('../../../include/nomyo.h', /^#define (NOMYO_ERR_\w+) \d+$/gm);
  assert.ok(header.length > 20);
  assert.deepEqual(named('../errors.d.ts', /^  \| '(\w+)';?$/gm), header);
});

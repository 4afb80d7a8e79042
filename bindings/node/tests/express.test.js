'use strict';

// The package in a program of others: a handler of Express.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const express = require('express');
const { test } = require('node:test');
const { format } = require('node:util');
const { CancelledError } = require('..');
const { client, control, saying, slow, underWay } = require('./endpoint.js');

const KEY = 'sk-the-key-of-the-service';
const PROMPT = 'the patient has a secret';

/** Serves `POST /ask`, which passes the request on. Returns its URL, and the errors that the handler met. */
async function serving(t, onError = undefined) {
  const errors = [];
  const app = express();
  app.use(express.json());
  app.post('/ask', async (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await client({ apiKey: KEY, maxRetries: 0 }).create(request.body, { signal: gone.signal });
    response.json(answer);
    answer.close();
  });
  app.use((error, request, response, next) => {
    errors.push(error);
    next(error);
  });
  if (onError) app.use(onError);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { errors, url: `http://127.0.0.1:${server.address().port}/ask` };
}

const post = (url, request, options = {}) =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(request), ...options });

test('a handler of Express returns the answers to several requests at once, each to its own', async (t) => {
  const { errors, url } = await serving(t);
  const before = (await control('stats')).requests;
  const prompts = Array.from({ length: 8 }, (_, i) => `question ${i}`);
  const asked = prompts.map((prompt) => post(url, saying(prompt, { delay_before_headers_ms: 500 })));
  await underWay(before, prompts.length);
  const answers = await Promise.all(asked.map(async (sent) => (await sent).json()));
  assert.deepEqual(answers.map(({ choices }) => choices[0].message.content), prompts);
  assert.ok(answers.every(({ object, _metadata }) => object === 'chat.completion' && _metadata.is_encrypted === true));
  assert.equal(new Set(answers.map(({ _metadata }) => _metadata.payload_id)).size, prompts.length);
  assert.deepEqual(errors, []);
});

test('a browser that leaves ends the call, and the service goes on', async (t) => {
  let met;
  const meeting = new Promise((done) => (met = done));
  const { url } = await serving(t, (error, request, response, next) => met({ error, response, next }));
  const before = (await control('stats')).requests;
  const browser = new AbortController();
  const asked = post(url, slow(), { signal: browser.signal });
  await underWay(before, 1);
  browser.abort();
  await assert.rejects(asked, { name: 'AbortError' });
  const { error, response } = await meeting;
  assert.ok(error instanceof CancelledError, `${error}`);
  assert.ok(response.destroyed);
  assert.equal((await (await post(url, saying('next'))).json()).choices[0].message.content, 'next');
});

/** The next text that `console.error` is given. */
const logged = (t) => new Promise((done) => t.mock.method(console, 'error', (...given) => done(format(...given))));

test('an error shows neither the prompt nor the key nor the words of the server, wherever Express writes it', async (t) => {
  const { errors, url } = await serving(t);
  const echoed = { status: 401, body: JSON.stringify({ detail: `${KEY} may not ask: ${PROMPT}` }) };
  // The last handler of Express sends the stack to the browser and logs the error, unless NODE_ENV says otherwise.
  const log = logged(t);
  const answered = await post(url, saying(PROMPT, echoed));
  assert.equal(answered.status, 401, 'Express answers with statusCode');
  const page = await answered.text();
  assert.match(page, /AuthenticationError/);
  assert.match(await log, /AuthenticationError/);
  assert.match(errors[0].errorDetails.detail, /secret/, 'the server has said it');
  for (const shown of [page, await log, JSON.stringify(errors)]) assert.doesNotMatch(shown, /secret|sk-the-key|may not/);
});

test('an error is written as JSON with what its reader needs', async (t) => {
  const { url } = await serving(t, (error, request, response, next) => response.status(502).json({ name: error.name, ...error }));
  const answered = await post(url, saying(PROMPT, { status: 503, body: JSON.stringify({ detail: PROMPT }) }));
  const { payloadId, ...error } = await answered.json();
  assert.deepEqual(error, {
    name: 'ServiceUnavailableError',
    status: 'NOMYO_ERR_UNAVAILABLE',
    statusCode: 503,
    retryable: true,
    retryAfterMs: null,
    attempts: 1,
    sent: 'yes',
    requestId: error.requestId,
  });
  assert.match(payloadId, /^[0-9a-f-]{36}$/);
});

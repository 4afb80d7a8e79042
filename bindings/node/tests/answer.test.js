'use strict';

// An answer in the forms that programs for OpenAI's interface expect.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { text } = require('node:stream/consumers');
const { test } = require('node:test');
const { ArgumentError } = require('..');
const { client, saying } = require('./endpoint.js');

const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } };

test('choices are an array in the form of OpenAI', async () => {
  const answer = await client().create({ ...saying('three times'), n: 3 });
  assert.ok(Array.isArray(answer.choices));
  assert.equal(answer.choiceCount, 3);
  assert.deepEqual(answer.choices.map(({ index, message, finish_reason: why }) => [index, message.role, message.content, why]), [
    [0, 'assistant', 'three times', 'stop'],
    [1, 'assistant', 'three times', 'stop'],
    [2, 'assistant', 'three times', 'stop'],
  ]);
  assert.deepEqual(answer.choices, answer.json().choices);
  assert.equal(answer.choices, answer.choices, 'it is parsed once');
  answer.close();
});

test('the message of a choice continues a conversation with tools', async () => {
  const request = { ...saying('weather?'), tools: [weather] };
  const [{ message, finish_reason: why }] = (await client().create(request)).choices;
  assert.equal(why, 'tool_calls');
  assert.equal(message.content, null);
  assert.equal(message.tool_calls[0].function.name, 'weather');
  const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'sunny' };
  const next = await client().create({ ...request, messages: [...request.messages, message, result] });
  assert.equal(next.choices[0].message.content, 'sunny');
});

test('usage is what the server counted, with its details, and undefined if there is none', async () => {
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, prompt_tokens_details: { cached_tokens: 2 } };
  const counted = await client().create(saying('x', { answer: { usage } }));
  assert.deepEqual(counted.usage, usage);
  counted.close();
  assert.throws(() => counted.usage, ArgumentError);
  for (const body of [{}, { usage: null }]) {
    assert.equal((await client().create(saying('x', { answer: body }))).usage, undefined, JSON.stringify(body));
  }
});

test('an answer without choices has an empty array', async () => {
  for (const body of [{}, { choices: null }, { choices: { 0: {} } }, { choices: [] }]) {
    const answer = await client().create(saying('x', { answer: body }));
    assert.deepEqual(answer.choices, [], JSON.stringify(body));
    assert.equal(answer.choiceCount, 0);
    answer.close();
  }
});

test('JSON.stringify() writes the answer, alone and inside of an object', async () => {
  const answer = await client().create(saying('Grüße'));
  assert.deepEqual(JSON.parse(JSON.stringify(answer)), answer.json());
  assert.equal(JSON.parse(JSON.stringify({ answers: [answer] })).answers[0].choices[0].message.content, 'Grüße');
  answer.close();
});

test('a closed answer has no choices and no JSON, also when both were read before', async () => {
  const answer = await client().create(saying('x'));
  assert.equal(answer.choices.length, 1);
  JSON.stringify(answer);
  answer.close();
  const uses = [() => answer.choices, () => answer.choiceCount, () => answer.toJSON(), () => JSON.stringify(answer)];
  for (const use of uses) assert.throws(use, ArgumentError, `${use}`);
});

/** What `response.json(value)` of Express sends. */
function sendJson(response, value) {
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(value));
}

test('a web handler returns the answer as it is', async (t) => {
  const server = http.createServer(async (request, response) => {
    try {
      const answer = await client().create(JSON.parse(await text(request)));
      sendJson(response, answer);
      answer.close();
    } catch (error) {
      response.statusCode = 500;
      sendJson(response, { error: error.message });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}`;
  const asked = await fetch(url, { method: 'POST', body: JSON.stringify(saying('through a server')) });
  const answer = await asked.json();
  assert.equal(asked.status, 200, JSON.stringify(answer));
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.choices[0].message.content, 'through a server');
  assert.match(answer._metadata.payload_id, /^[0-9a-f-]{36}$/);
});

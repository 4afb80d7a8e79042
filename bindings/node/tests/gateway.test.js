'use strict';

// A gateway in front of the server: headers for it, and the id that it gives a request.

const test = require('node:test');
const assert = require('node:assert/strict');
const { ArgumentError, Client, NomyoError } = require('..');
const { BASE } = require('./endpoint.js');

const MESSAGES = [{ role: 'user', content: 'x' }];

test("a gateway's header goes out, and the id of the request comes back on success and on failure", async () => {
  const client = new Client({ ...BASE, headers: { 'X-Request-ID': 'r-7' }, maxRetries: 0 });
  const answer = await client.create({ model: 'm', messages: MESSAGES });
  assert.equal(answer.requestId, 'r-7');
  answer.close();
  const refused = client.create({ model: 'm', messages: MESSAGES, nomyo_test: { status: 400 } });
  await assert.rejects(refused, (error) => error instanceof NomyoError && error.requestId === 'r-7');
  client.close();
  const plain = new Client(BASE);
  const other = await plain.create({ model: 'm', messages: MESSAGES });
  assert.equal(other.requestId, null);
  plain.close();
});

test('a header that the client sets, and what is no header, are refused', () => {
  for (const headers of [
    { 'X-Payload-ID': 'x' },
    { authorization: 'x' },
    { 'a b': 'x' },
    { 'X-A': 'x\r\ny: z' },
    { 'X-A': 5 },
    ['X-A'],
    'X-A: b',
    new Map([['X-A', 'b']]),
    new Headers({ 'X-A': 'b' }),
  ]) {
    assert.throws(() => new Client({ ...BASE, headers }), ArgumentError, JSON.stringify(headers));
  }
});

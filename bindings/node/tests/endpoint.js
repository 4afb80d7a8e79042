'use strict';

// The endpoint that tests/with_endpoint.sh has started, and requests for it.

const { Client } = require('..');

const BASE = {
  baseUrl: process.env.NOMYO_TEST_BASE_URL,
  caFile: process.env.NOMYO_TEST_CA_FILE,
  environment: false,
};

/** One for each set of options in a process: a key pair takes most of a second. */
const clients = new Map();

function client(options = {}) {
  const key = JSON.stringify(options);
  if (!clients.has(key)) clients.set(key, new Client({ ...BASE, ...options }));
  return clients.get(key);
}

/** A request that the endpoint answers with `content`, unless `faults` make it misbehave. */
function saying(content, faults = undefined) {
  const request = { model: 'm', messages: [{ role: 'user', content }] };
  return faults ? { ...request, nomyo_test: faults } : request;
}

/** One that is still under way when the test ends it. */
const slow = () => saying('slow', { delay_before_headers_ms: 600_000 });

async function control(path, body = undefined) {
  const options = body === undefined ? {} : { method: 'POST', body };
  const answer = await fetch(`${process.env.NOMYO_TEST_PLAIN_BASE_URL}/control/${path}`, options);
  return answer.json().catch(() => undefined);
}

/** Waits until the endpoint has `more` requests than before, which means that they are under way. */
async function underWay(before, more) {
  while ((await control('stats')).requests < before + more) await new Promise((done) => setTimeout(done, 10));
}

module.exports = { BASE, client, control, saying, slow, underWay };

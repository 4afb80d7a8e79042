'use strict';

// Runs the scenarios that all languages share: tests/scenarios/*.json, or the files that are named.
//
//     tests/with_endpoint.sh --api-key KEY -- node bindings/node/tests/scenarios.js [FILE...]

const fs = require('node:fs');
const path = require('node:path');
const { isDeepStrictEqual, inspect } = require('node:util');
const nomyo = require('..');

const env = process.env;
const NAMES = {
  $PLAIN: env.NOMYO_TEST_PLAIN_BASE_URL,
  $GROUP_KEYS: env.NOMYO_TEST_GROUP_KEYS,
  $FINGERPRINT: env.NOMYO_TEST_KEY_FINGERPRINT,
};
const BASE = {
  baseUrl: env.NOMYO_TEST_BASE_URL,
  apiKey: env.NOMYO_TEST_API_KEY ?? '',
  caFile: env.NOMYO_TEST_CA_FILE,
  environment: false,
};
// The table's words, and the binding's.
const CONFIG = {
  api_key: 'apiKey',
  max_retries: 'maxRetries',
  timeout_ms: 'timeout',
  connect_timeout_ms: 'connectTimeout',
  response_limit: 'responseLimit',
  base_url: 'baseUrl',
  allow_http: 'allowHttp',
  proxy: 'proxy',
  headers: 'headers',
  server_key_pin: 'serverKeyPins',
  tls_pin: 'tlsPins',
  post_quantum: 'postQuantum',
  server_key_ttl_ms: 'serverKeyTtl',
  key_dir: 'keyDir',
  key_group_read: 'keyGroupRead',
  attestation: 'attestation',
};
const OPTIONS = { security_tier: 'securityTier', api_key: 'apiKey', timeout_ms: 'timeout', cancelled: 'signal' };
const MEMBERS = ['name', 'config', 'keys', 'server', 'request', 'raw', 'options', 'expect'];
const clients = new Map();

class Failed extends Error {}

function check(holds, why) {
  if (!holds) throw new Failed(why);
}

function known(given, allowed, where) {
  const strange = Object.keys(given).filter((name) => !allowed.includes(name));
  check(strange.length === 0, `unknown in ${where}: ${strange}`);
}

function renamed(given, names, where) {
  known(given, Object.keys(names), where);
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [names[name], value]));
}

/** One for each configuration: a key pair takes most of a second. */
function clientOf(config) {
  const key = JSON.stringify(config);
  if (!clients.has(key)) {
    const text = Object.entries(NAMES).reduce((text, [name, value]) => text.replaceAll(`"${name}"`, `"${value}"`), key);
    const options = renamed(JSON.parse(text), CONFIG, 'config');
    if (options.attestation) options.attestation = { require: options.attestation };
    clients.set(key, new nomyo.Client({ ...BASE, ...options }));
  }
  return clients.get(key);
}

const KEYS = path.join(__dirname, '..', '..', '..', 'tests', 'fixtures', 'protocol', 'keys');

async function loadKeys(client, keys) {
  known(keys, ['private', 'public', 'password', 'reload'], 'keys');
  const [privateKey, publicKey] = [keys.private, keys.public].map((name) => name && fs.readFileSync(path.join(KEYS, name)));
  await client.loadKeysPem(privateKey, publicKey, keys.password);
  if (keys.reload === undefined) return;
  const before = await client.publicKey();
  const password = keys.reload === '' ? undefined : keys.reload;
  const exported = await client.privateKeyPem(password);
  await client.loadKeysPem(exported, undefined, password);
  exported.close();
  check((await client.publicKey()) === before, 'another pair is loaded than was exported');
}

async function setFaults(faults) {
  const answer = await fetch(`${NAMES.$PLAIN}/control/faults`, { method: 'POST', body: JSON.stringify(faults) });
  check(answer.ok, `the endpoint does not take the faults: ${answer.status}`);
  await answer.arrayBuffer();
}

async function run(scenario) {
  known(scenario, MEMBERS, 'the scenario');
  const options = renamed(scenario.options ?? {}, OPTIONS, 'options');
  if (options.signal !== undefined) options.signal = AbortSignal.abort();
  const request = Buffer.from(scenario.raw ?? JSON.stringify(scenario.request));
  const { status, ...expect } = scenario.expect;
  if (scenario.server) await setFaults(scenario.server);
  try {
    const client = clientOf(scenario.config ?? {});
    if (scenario.keys) await loadKeys(client, scenario.keys);
    const answer = await client.create(request, options);
    check(status === 'NOMYO_OK', `an answer, not ${status}`);
    judgeAnswer(answer, expect);
    answer.close();
  } catch (error) {
    if (!(error instanceof nomyo.NomyoError)) throw error;
    check(error.status === status, `${error.status} (${error.message}), not ${status}`);
    judgeError(error, expect);
  } finally {
    if (scenario.server) await setFaults({});
  }
}

function same(got, wanted, what) {
  check(isDeepStrictEqual(got, wanted), `${what} is ${inspect(got)}, not ${inspect(wanted)}`);
}

function judgeHeaders(headers, expect) {
  for (const [name, wanted] of Object.entries(expect.headers ?? {})) same(headers[name.toLowerCase()] ?? null, wanted, name);
}

function judgeError(error, expect) {
  const got = {
    http_status: error.statusCode ?? 0,
    attempts: error.attempts,
    retryable: error.retryable,
    retry_after_ms: error.retryAfterMs ?? -1,
    sent: error.sent,
    payload_id: error.payloadId !== null,
    request_id: error.requestId,
  };
  judgeHeaders(error.headers, expect);
  known(expect, [...Object.keys(got), 'headers', 'message_has', 'details_has'], 'expect');
  for (const [name, value] of Object.entries(got)) {
    if (name in expect) same(value, expect[name], name);
  }
  for (const part of [expect.message_has ?? []].flat()) {
    check(error.message.includes(part), `the message has no ${inspect(part)}: ${error.message}`);
  }
  if ('details_has' in expect) {
    check(error.details?.includes(expect.details_has), `the details are ${error.details}`);
  }
}

function judgeAnswer(answer, expect) {
  // Where there is no choice at all, JavaScript's word for absent is RangeError.
  const first = (getter) => (answer.choiceCount > 0 ? getter.call(answer) : null);
  const texts = { content: answer.content, reasoning: answer.reasoning, finish_reason: answer.finishReason };
  const numbers = { choices: answer.choiceCount, attempts: answer.attempts, payload_id: answer.payloadId.length === 36 };
  numbers.request_id = answer.requestId;
  judgeHeaders(answer.headers, expect);
  known(expect, [...Object.keys(texts), ...Object.keys(numbers), 'headers', 'usage', 'tool_calls', 'tool_calls_has', 'pointers', 'attestation'], 'expect');
  for (const [name, value] of Object.entries(numbers)) {
    if (name in expect) same(value, expect[name], name);
  }
  for (const [name, getter] of Object.entries(texts)) {
    if (name in expect) same(first(getter), expect[name], name);
  }
  if ('tool_calls_has' in expect) {
    const calls = answer.view('toolCalls')?.toString() ?? '';
    check(calls.includes(expect.tool_calls_has), `the tool calls are ${calls}`);
  }
  if ('tool_calls' in expect) {
    const calls = answer.toolCalls().map(({ id, function: { name, arguments: text } }) => ({ id, name, arguments: text }));
    same(calls, expect.tool_calls, 'tool_calls');
  }
  if ('usage' in expect) {
    const { prompt_tokens_details, completion_tokens_details, ...usage } = answer.usage;
    same({ ...usage, ...prompt_tokens_details, ...completion_tokens_details }, expect.usage, 'usage');
  }
  for (const [pointer, wanted] of Object.entries(expect.pointers ?? {})) {
    same(answer.pointer(pointer) ?? null, wanted, pointer);
  }
  if ('attestation' in expect) same(answer.attestation.level, expect.attestation, 'attestation');
}

async function main() {
  const table = path.join(__dirname, '..', '..', '..', 'tests', 'scenarios');
  const all = fs.readdirSync(table).filter((name) => name.endsWith('.json'));
  const files = process.argv.length > 2 ? process.argv.slice(2) : all.sort().map((name) => path.join(table, name));
  let passed = 0;
  let failed = 0;
  for (const file of files) {
    for (const scenario of JSON.parse(fs.readFileSync(file, 'utf8'))) {
      try {
        await run(scenario);
        passed += 1;
        console.log(`scenario ${scenario.name} ok`);
      } catch (error) {
        failed += 1;
        console.log(`scenario ${scenario.name} FAILED: ${error instanceof Failed ? error.message : inspect(error)}`);
      }
    }
  }
  console.log(`scenarios-node: ${passed} passed, ${failed} failed`);
  process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
}

main();

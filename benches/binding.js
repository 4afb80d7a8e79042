'use strict';

// Measures one small request with the Node package, and for how long calls that begin in one turn block the event loop.
//
//     node binding.js request N       one JSON line: the CPU time of one request in microseconds, of all threads, with Client and with
//                                     the drop-in class. It is the median of N requests of each, in turns.
//     node binding.js block CALLS     one JSON line: in microseconds, the longest time by which a timer of 1 ms was late while CALLS
//                                     calls began in one turn, and until all had ended; `idle_us` without a call; `begin_us` is the
//                                     CPU time of the turn, on the thread of the loop.
//     node binding.js require         one JSON line: the wall time of require() in microseconds
//
// NOMYO_TEST_BASE_URL and NOMYO_TEST_CA_FILE name the endpoint. SSL_CERT_FILE is for the drop-in class.

const fs = require('node:fs');
const { performance } = require('node:perf_hooks');
const path = require('node:path');

const PACKAGE = path.join(__dirname, '..', 'bindings', 'node');
const REQUEST = {
  model: 'Qwen/Qwen3-0.6B',
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
  temperature: 0.7,
};
const TICK_MS = 1;

const print = (figures) => console.log(JSON.stringify(figures));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

function newClient() {
  const { Client } = require(PACKAGE);
  return new Client({ baseUrl: process.env.NOMYO_TEST_BASE_URL, caFile: process.env.NOMYO_TEST_CA_FILE });
}

async function ask(client) {
  const answer = await client.create(REQUEST);
  if (!answer.content()) throw new Error('the answer has no content');
  answer.close();
}

async function askDropIn(chat) {
  const answer = await chat.create(REQUEST);
  if (!answer.choices[0].message.content) throw new Error('the answer has no content');
}

/** The CPU time of all threads, user and system, in microseconds. */
async function cpuOf(function_) {
  const begun = process.cpuUsage();
  await function_();
  const used = process.cpuUsage(begun);
  return used.user + used.system;
}

async function requests(count) {
  const { SecureChatCompletion } = require(PACKAGE);
  const client = newClient();
  const chat = new SecureChatCompletion({ baseUrl: process.env.NOMYO_TEST_BASE_URL });
  const ways = { client: () => ask(client), drop_in: () => askDropIn(chat) };
  const used = { client: [], drop_in: [] };
  for (const way of Object.values(ways)) await way(); // Makes the pair and the connection.
  for (let i = 0; i < count; i += 1) {
    for (const name of Object.keys(ways)) used[name].push(await cpuOf(ways[name]));
  }
  print({ client_us: median(used.client), drop_in_us: median(used.drop_in) });
  chat.dispose();
}

/** The CPU time of the main thread, and the time for which it waited for a processor, both in milliseconds. */
function scheduled() {
  const [cpu, waited] = fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
  return { cpu: Number(cpu) / 1e6, waited: Number(waited) / 1e6 };
}

/** A timer that is set again each time. The function that it returns ends it, and tells by how much it was late at most. The time for
 * which the thread waited for a processor is not counted. */
function lateness() {
  let [longest, due, waited, timer] = [0, 0, 0, undefined];
  const late = () => Math.max(longest, performance.now() - due - (scheduled().waited - waited));
  const set = () => {
    waited = scheduled().waited;
    due = performance.now() + TICK_MS;
    timer = setTimeout(ring, TICK_MS);
  };
  const ring = () => {
    longest = late();
    set();
  };
  set();
  return () => {
    clearTimeout(timer);
    return Math.round(late() * 1000);
  };
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function block(count) {
  const client = newClient();
  await ask(client);
  let end = lateness();
  await pause(1000);
  const idle = end();
  end = lateness();
  await pause(50);
  const begun = scheduled().cpu;
  const calls = Array.from({ length: count }, () => ask(client));
  const turn = (scheduled().cpu - begun) * 1000;
  await Promise.all(calls);
  print({ idle_us: idle, block_us: end(), begin_us: Math.round(turn) });
}

function load() {
  const begun = performance.now();
  require(PACKAGE);
  print({ require_us: Math.round((performance.now() - begun) * 1000) });
}

const [command, count] = [process.argv[2], Number(process.argv[3])];
if (command === 'request') requests(count);
else if (command === 'block') block(count);
else load();

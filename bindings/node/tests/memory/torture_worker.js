'use strict';

// Buffers of every fate, in random order: closed, closed twice, forgotten, used by a call in flight, locked, unlocked once
// too often, zeroed.

const crypto = require('node:crypto');
const { parentPort, workerData } = require('node:worker_threads');
const memory = require('../../lib/memory.js');
const { collect } = require('./process.js');

let state = workerData.seed;

function random(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state % n;
}

function forgive(call) {
  try {
    return call();
  } catch (error) {
    if (!['ERR_INVALID_STATE', 'NOMYO_ERR_MEMORY'].includes(error.code)) throw error;
    return undefined;
  }
}

async function run() {
  const held = [];
  const calls = [];
  for (let i = 0; i < workerData.rounds; i++) {
    const size = random(8) === 0 ? random(300_000) : random(5000);
    const bytes = random(4) === 0 ? Buffer.alloc(size) : memory.secureAlloc(size);
    const choice = random(10);
    if (choice < 3) forgive(() => memory.lock(bytes));
    if (choice === 4) calls.push(new Promise((done) => crypto.randomFill(bytes, done)));
    if (choice === 5) forgive(() => memory.unlock(bytes));
    if (choice === 6) held.push(bytes);
    if (choice > 6 || random(2)) bytes.close?.();
    if (choice === 7) bytes.close?.();
    forgive(() => memory.zero(bytes));
    if (choice < 3) forgive(() => memory.unlock(bytes));
    if (held.length > 20) forgive(() => memory.zero(held.shift()));
    if (i % 200 === 0) await collect(() => true);
  }
  await Promise.all(calls);
}

run().then(() => parentPort.postMessage('done'));

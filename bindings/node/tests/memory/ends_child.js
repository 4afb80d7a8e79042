'use strict';

// A process, or a worker in it, that ends in the way that it is told while it holds secrets and locks and calls are in
// flight.

const crypto = require('node:crypto');
const fs = require('node:fs');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const memory = require('../../lib/memory.js');

function busy() {
  const held = [];
  for (let i = 0; i < 20; i++) {
    const secret = memory.secureAlloc(1024 * 1024);
    memory.lock(secret);
    memory.lock(Buffer.alloc(100_000));
    crypto.randomFill(secret, () => {});
    crypto.scrypt(secret, secret, 32, { N: 16 }, () => {});
    fs.open('/dev/zero', (_, file) => fs.read(file, secret, () => {}));
    if (i % 3 === 0) secret.close();
    held.push(secret);
  }
  globalThis.held = held;
}

const ways = {
  exit: () => process.exit(7),
  'exit in an event': () => setImmediate(() => process.exit(7)),
  'an exception': () => {
    throw new Error('not caught');
  },
  nothing: () => {},
};

if (isMainThread && process.argv[3] === 'in a worker') {
  const worker = new Worker(__filename, { workerData: process.argv[2], stderr: true });
  worker.on('error', () => {});
  if (process.argv[2] === 'terminate') worker.once('message', () => worker.terminate());
} else {
  busy();
  const way = isMainThread ? process.argv[2] : workerData;
  if (way === 'terminate') {
    require('node:worker_threads').parentPort.postMessage('busy');
    for (;;) memory.secureAlloc(5000).close();
  }
  ways[way]();
}

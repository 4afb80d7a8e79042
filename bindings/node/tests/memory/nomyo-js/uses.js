'use strict';

// A program on nomyo-js: what it is told, and what the kernel says meanwhile. Prints it.

const fs = require('node:fs');
const { SecureMemory, SecureByteContext } = require('./secure_memory.js');

const SIZE = 1024 * 1024;
const locked = () => Number(/^VmLck:\s+(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;

async function context(end) {
  const data = new ArrayBuffer(SIZE);
  new Uint8Array(data).fill(7);
  const before = locked();
  let during;
  const outcome = await new SecureByteContext(data).use(async (bytes) => {
    await new Promise(setImmediate);
    during = locked();
    return end(new Uint8Array(bytes)[0]);
  }).catch((error) => error.message);
  const zeroed = new Uint8Array(data).every((byte) => byte === 0);
  return { outcome, zeroed, locked: during - before >= SIZE, stays: locked() - before >= SIZE };
}

async function main() {
  const info = new SecureMemory().getProtectionInfo();
  const returns = await context((first) => first);
  const throws = await context((first) => {
    throw new Error(`failed at ${first}`);
  });
  console.log(JSON.stringify({ info, returns, throws }));
}

main();

'use strict';

// A process that may lock little or nothing: it prints what it was answered.

const memory = require('../../lib/memory.js');
const { lockedByCaller } = require('./process.js');

const before = lockedByCaller();
const large = Buffer.alloc(4 * 1024 * 1024, 1);
const lock = memory.lock(large);
const after = lockedByCaller();
let unlock;
try {
  unlock = memory.unlock(large);
} catch (error) {
  unlock = error.message;
}
memory.zero(large);
const secret = memory.secureAlloc(100).fill(1);
const full = secret.length;
secret.close();
console.log(
  JSON.stringify({
    info: memory.getMemoryProtectionInfo(),
    lock,
    unlock,
    leftLocked: after - before,
    zeroed: large.every((byte) => byte === 0),
    secret: [full, secret.length],
  }),
);

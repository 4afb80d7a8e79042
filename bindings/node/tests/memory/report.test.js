'use strict';

// getMemoryProtectionInfo() says what really happened, and lock() does what the system allows.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const memory = require('../../lib/memory.js');
const { lockedByCaller, skip } = require('./process.js');

/** What a process with this RLIMIT_MEMLOCK, and without the right to lock more, is answered. */
function limitedTo(bytes) {
  const child = [process.execPath, path.join(__dirname, 'limited_child.js')];
  const limited = ['prlimit', `--memlock=${bytes}:${bytes}`, ...child];
  const command = process.getuid() === 0 ? ['setpriv', '--bounding-set=-ipc_lock', ...limited] : limited;
  return JSON.parse(execFileSync(command[0], command.slice(1), { encoding: 'utf8' }));
}

test('where nothing can be locked, it says so and why; zeroing works', { skip }, () => {
  const { info, lock, unlock, leftLocked, zeroed, secret } = limitedTo(0);
  assert.equal(info.canLock, false);
  assert.equal(info.isPlatformSecure, false);
  assert.equal(info.method, 'zero-only');
  assert.match(info.details, /RLIMIT_MEMLOCK is 0 bytes/);
  assert.match(info.details, /; 0 of the library's own \d+ bytes are locked/);
  assert.equal(lock, false);
  assert.match(unlock, /not locked/);
  assert.equal(leftLocked, 0);
  assert.equal(zeroed, true);
  assert.deepEqual(secret, [100, 0]);
});

test('where a little can be locked, a large buffer is refused whole', { skip }, () => {
  const { info, lock, leftLocked } = limitedTo(1024 * 1024);
  assert.equal(info.canLock, true);
  assert.equal(info.method, 'mlock');
  assert.match(info.details, /RLIMIT_MEMLOCK is 1048576 bytes/);
  assert.equal(lock, false);
  assert.equal(leftLocked, 0);
});

test('where the library has used the limit up, it says that nothing more can be locked', { skip }, () => {
  const { info, lock } = limitedTo(64 * 1024);
  assert.equal(info.canLock, false);
  assert.equal(info.method, 'zero-only');
  assert.equal(info.isPlatformSecure, false);
  assert.equal(lock, false);
});

test('where enough can be locked, it is', { skip }, () => {
  const { info, lock, unlock, leftLocked } = limitedTo(8 * 1024 * 1024);
  assert.equal(info.canLock, true);
  assert.equal(info.isPlatformSecure, true);
  assert.equal(lock, true);
  assert.equal(unlock, true);
  assert.ok(leftLocked >= 4 * 1024 * 1024);
});

test('asking leaves nothing locked, and has the shape that the SDK documents', () => {
  const before = lockedByCaller();
  const info = memory.getMemoryProtectionInfo();
  assert.equal(lockedByCaller(), before);
  assert.deepEqual(Object.keys(info).sort(), ['canLock', 'details', 'isPlatformSecure', 'method']);
  assert.equal(typeof info.canLock, 'boolean');
  assert.equal(typeof info.isPlatformSecure, 'boolean');
  assert.equal(typeof info.details, 'string');
  assert.ok(['mlock', 'zero-only'].includes(info.method));
});

test('the documentation names every function, and the types too', () => {
  const guide = fs.readFileSync(path.join(__dirname, '../../MEMORY.md'), 'utf8');
  const types = fs.readFileSync(path.join(__dirname, '../../lib/memory.d.ts'), 'utf8');
  for (const name of Object.keys(memory)) {
    assert.ok(guide.includes(`\`${name}(`), `${name} in MEMORY.md`);
    assert.ok(types.includes(`function ${name}(`), `${name} in memory.d.ts`);
  }
});

'use strict';

// The optional dependency of nomyo-js, as its package.json names it, and the patch of MEMORY.md applied to what is public of
// its SecureMemory.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { skip } = require('./process.js');

const PACKAGE = path.join(__dirname, '../..');
const NPM = { npm_config_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_package_lock: 'false' };

let folder;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-js-'));
});

after(() => {
  fs.rmSync(folder, { recursive: true });
});

function patch() {
  const [, block] = /^```js patch\n(.*?)^```/ms.exec(fs.readFileSync(path.join(PACKAGE, 'MEMORY.md'), 'utf8'));
  return block;
}

/** Runs the commands of the block of MEMORY.md that begins with `first`, in the folder `cwd`. */
function asWritten(first, cwd) {
  const page = fs.readFileSync(path.join(PACKAGE, 'MEMORY.md'), 'utf8');
  const block = [...page.matchAll(/^(?: {4}.*\n)+/gm)].map(([block]) => block).find((block) => block.trim().startsWith(first));
  const commands = block.replaceAll('PATH/TO/libnomyo/bindings/node', PACKAGE);
  execFileSync('sh', ['-e', '-c', commands], { cwd, env: { ...process.env, ...NPM }, stdio: 'pipe' });
}

/** A checkout of nomyo-js, with the patch or without, and with a link to `native` or without. */
function checkout(name, { patched, linked }) {
  const to = path.join(folder, name);
  fs.cpSync(path.join(__dirname, 'nomyo-js'), to, { recursive: true });
  if (patched) fs.appendFileSync(path.join(to, 'secure_memory.js'), `\n${patch()}`);
  if (linked) asWritten('ln -s', to);
  return to;
}

function run(to, ...before) {
  const [command, ...rest] = [...before, process.execPath, path.join(to, 'uses.js')];
  return JSON.parse(execFileSync(command, rest, { encoding: 'utf8' }));
}

function zeroed({ returns, throws }, locked) {
  assert.deepEqual(returns, { outcome: 7, zeroed: true, locked, stays: false });
  assert.deepEqual(throws, { outcome: 'failed at 7', zeroed: true, locked, stays: false });
}

test('the patch has at most 20 lines', () => {
  assert.ok(patch().trimEnd().split('\n').length <= 20);
});

test('without the patch nothing is locked', () => {
  const seen = run(checkout('plain', { patched: false, linked: true }));
  assert.equal(seen.info.method, 'zero-only');
  zeroed(seen, false);
});

test('with the patch and without the module all is as it was', () => {
  const seen = run(checkout('alone', { patched: true, linked: false }));
  assert.equal(seen.info.method, 'zero-only');
  assert.equal(seen.info.canLock, false);
  zeroed(seen, false);
});

test('with both, zero-only becomes mlock, and what is used is locked and then zeroed', { skip }, () => {
  const seen = run(checkout('both', { patched: true, linked: true }));
  assert.equal(seen.info.method, 'mlock');
  assert.equal(seen.info.canLock, true);
  assert.match(seen.info.details, /RLIMIT_MEMLOCK is/);
  zeroed(seen, true);
});

test('where nothing may be locked, it says so, and zeroes', { skip }, () => {
  const to = checkout('limited', { patched: true, linked: true });
  const drop = process.getuid() === 0 ? ['setpriv', '--bounding-set=-ipc_lock'] : [];
  const seen = run(to, ...drop, 'prlimit', '--memlock=0:0');
  assert.equal(seen.info.method, 'zero-only');
  assert.equal(seen.info.canLock, false);
  zeroed(seen, false);
});

test('the archive of this package, unpacked as the page says, takes the place of the link', { skip }, () => {
  const to = checkout('unpacked', { patched: true, linked: false });
  asWritten('npm pack', to);
  assert.ok(!fs.lstatSync(path.join(to, 'native')).isSymbolicLink());
  const seen = run(to);
  assert.equal(seen.info.method, 'mlock');
  zeroed(seen, true);
});

test('a copy of the folder says that it is to be linked', () => {
  const to = checkout('copied', { patched: false, linked: false });
  fs.cpSync(path.join(PACKAGE, 'native'), path.join(to, 'native'), { recursive: true });
  assert.throws(() => require(path.join(to, 'native')), /copied into nomyo-js.*link it/s);
});

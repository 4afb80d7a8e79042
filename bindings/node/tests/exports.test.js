'use strict';

// The addon shares its process with other native modules. The loader must not confuse the addon with libnomyo.so.0.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test } = require('node:test');
const { addonPath } = require('../lib/addon_path.js');

const linux = { skip: process.platform !== 'linux' && 'this reads ELF' };

test('the addon exports nothing but what Node looks for', linux, () => {
  const symbols = execFileSync('nm', ['-D', '--defined-only', '--format=posix', addonPath()]).toString();
  assert.deepEqual(symbols.trim().split('\n').map((line) => line.split(' ')[0]), ['napi_register_module_v1']);
});

test('the addon is not libnomyo.so.0 for the loader', linux, () => {
  const dynamic = execFileSync('readelf', ['-d', addonPath()]).toString();
  assert.match(dynamic, /NEEDED/);
  assert.doesNotMatch(dynamic, /SONAME/);
  assert.match(dynamic, /NODELETE/);
});

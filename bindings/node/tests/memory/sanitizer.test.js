'use strict';

// A build with AddressSanitizer has a mistake on purpose, and reports it; no other build has it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { native, sanitized } = require('./process.js');

function readAt(index) {
  const addon = JSON.stringify(path.join(__dirname, '../../lib/native.js'));
  return spawnSync(process.execPath, ['-p', `require(${addon}).readOutOfBounds(${index})`], { encoding: 'utf8' });
}

test('AddressSanitizer reports a read behind an allocation', { skip: !sanitized && 'this build has none' }, () => {
  assert.equal(readAt(7).stdout, '0\n');
  const { status, stderr } = readAt(8);
  assert.notEqual(status, 0);
  assert.match(stderr, /AddressSanitizer: heap-buffer-overflow/);
});

test('a build without it has no mistake on purpose', { skip: sanitized && 'this build has it' }, () => {
  assert.equal(native.readOutOfBounds, undefined);
});

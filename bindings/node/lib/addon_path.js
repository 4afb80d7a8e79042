'use strict';

// Where the addon for this machine belongs: prebuilds/<platform>-<arch>/nomyo-native.<libc>.node.

const fs = require('node:fs');
const path = require('node:path');

/**
 * The C library that this process runs on; Node-API is the only thing that the addon asks for elsewhere. The first page of an
 * ELF program names its loader, and so its C library. /proc/self/maps would name both, but takes longer to read than the addon
 * takes to load.
 */
function libc() {
  if (process.platform !== 'linux') return 'napi';
  const start = Buffer.alloc(4096);
  try {
    const program = fs.openSync(process.execPath, 'r');
    try {
      fs.readSync(program, start, 0, start.length, 0);
    } finally {
      fs.closeSync(program);
    }
  } catch {
    // A program that may be run and not read does not tell. Most systems have glibc.
  }
  return start.includes('/ld-musl-') ? 'musl' : 'glibc';
}

/** The path of the addon. */
function addonPath() {
  const name = `nomyo-native.${libc()}.node`;
  return path.join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, name);
}

module.exports = { addonPath };

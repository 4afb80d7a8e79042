'use strict';

// Where the addon for this machine belongs: prebuilds/<platform>-<arch>/nomyo-native.<libc>.node.

const fs = require('node:fs');
const path = require('node:path');

/** The C library that this process runs on; Node-API is the only thing that the addon asks for elsewhere. */
function libc() {
  if (process.platform !== 'linux') return 'napi';
  let mappings = '';
  try {
    mappings = fs.readFileSync('/proc/self/maps', 'latin1');
  } catch {
    // Without /proc there is no telling; musl systems have it.
  }
  return /\/ld-musl-[^/]*$/m.test(mappings) ? 'musl' : 'glibc';
}

/** The path of the addon. */
function addonPath() {
  const name = `nomyo-native.${libc()}.node`;
  return path.join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, name);
}

module.exports = { addonPath };

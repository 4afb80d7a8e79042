'use strict';

// Finds the addon: prebuilds/<platform>-<arch>/nomyo-native.<libc>.node, or where NOMYO_NATIVE_ADDON says.

const path = require('node:path');

/** Where the addon for this machine belongs. */
function addonPath() {
  const libc = process.platform !== 'linux' ? 'napi' : isMusl() ? 'musl' : 'glibc';
  return path.join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, `nomyo-native.${libc}.node`);
}

function isMusl() {
  return !process.report.getReport().header.glibcVersionRuntime;
}

module.exports = { addonPath };

'use strict';

// Buffers over the library's memory. Printed or written as JSON, each shows its length: a logger copies no secret.

const { inspect } = require('node:util');

/** Hides the bytes of `buffer` from console.log() and JSON.stringify(). A subarray of the buffer shows its bytes. */
function opaque(buffer, name) {
  const shown = () => `<${name} of ${buffer.length} bytes>`;
  for (const method of [inspect.custom, 'toJSON']) Object.defineProperty(buffer, method, { value: shown });
  return buffer;
}

module.exports = { opaque };

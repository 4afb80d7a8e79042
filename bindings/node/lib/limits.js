'use strict';

// The signal and the timeout, which every method that can block takes.

const a = require('./arguments.js');
const { ArgumentError } = require('./errors.js').classes;
const { refuseMore } = require('./names.js');

function signal(value, name) {
  if (typeof value.aborted !== 'boolean' || typeof value.addEventListener !== 'function') {
    throw new ArgumentError(`${name} must be an AbortSignal, not ${a.kind(value)}`);
  }
  return value;
}

const LIMITS = { signal, timeout: a.milliseconds };

/** The limits of a method that takes no other options. `more` is what follows them, where nothing may be. */
function limitsOf(given, more, method, elsewhere = undefined) {
  refuseMore(more, method);
  return a.options(given, LIMITS, `the options of ${method}`, elsewhere);
}

module.exports = { LIMITS, limitsOf };

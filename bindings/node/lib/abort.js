'use strict';

// AbortSignals, and the calls that each of them ends.

const { classes } = require('./errors.js');

/** The calls under way of each signal: one listener for all of them, since Node warns about more than ten. */
const watched = new WeakMap();

/** Triggers `cancel` when `signal` is aborted. Returns what ends the watching. */
function watch(signal, cancel) {
  if (!watched.has(signal)) {
    const calls = new Set();
    watched.set(signal, { calls, abort: () => calls.forEach((call) => call.trigger()) });
  }
  const { calls, abort } = watched.get(signal);
  calls.add(cancel);
  if (calls.size === 1) signal.addEventListener('abort', abort);
  return () => {
    calls.delete(cancel);
    if (calls.size === 0) signal.removeEventListener('abort', abort);
  };
}

/** The exception for a call whose signal was aborted. `error` is the library's, if the call had begun. */
function cancelled(signal, error = new classes.CancelledError('the call was cancelled before it began; the request was not sent')) {
  // Not enumerable, as in the language: JSON of the error does not hold the reason.
  Object.defineProperty(error, 'cause', { value: signal.reason, writable: true, configurable: true });
  return error;
}

module.exports = { cancelled, watch };

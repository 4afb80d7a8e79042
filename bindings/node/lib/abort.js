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

/** The exception for a call whose signal was aborted, with the library's numbers if it was under way. */
function cancelled(signal, error = new classes.CancelledError('the call was cancelled; nothing was sent')) {
  error.cause = signal.reason;
  return error;
}

module.exports = { cancelled, watch };

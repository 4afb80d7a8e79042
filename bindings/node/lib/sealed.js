'use strict';

// A sealed request, for an HTTP stack of the caller's own.

const native = require('./native.js');

/** The addon's object of each; out of reach for users. */
const natives = new WeakMap();

class Sealed {
  constructor(sealed) {
    if (!(sealed instanceof native.NativeSealed)) throw new TypeError('a Sealed comes from seal()');
    natives.set(this, sealed);
  }

  /** The HTTP body: copied out once, since it is sent. */
  get body() {
    const body = natives.get(this).body();
    Object.defineProperty(this, 'body', { value: body });
    return body;
  }

  get headers() {
    return natives.get(this).headers();
  }

  get payloadId() {
    return natives.get(this).payloadId();
  }
}

module.exports = { Sealed, nativeOf: (sealed) => natives.get(sealed) };

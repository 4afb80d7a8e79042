'use strict';

// Locking and wiping buffers, and buffers over the vault. MEMORY.md says what each protects against.

const { constants } = require('node:buffer');
const { isAnyArrayBuffer, isDataView, isSharedArrayBuffer } = require('node:util').types;
const { valueOf } = require('./errors.js');
const native = require('./native.js');
const { opaque } = require('./opaque.js');

/** The ranges of each ArrayBuffer that are locked, with a PageLock for each time. It keeps the buffers. */
const locks = new Map();

/** The memory of each ArrayBuffer that secureAlloc() made: it lives as long, closed or not, for the sake of calls in flight. */
const secrets = new WeakMap();

/** Reads a property as the language defines it, whatever a subclass has put in its place. */
function property(prototype, name) {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name) ?? { get() {} };
  return (object) => Reflect.apply(get, object, []);
}

function view(prototype) {
  return {
    buffer: property(prototype, 'buffer'),
    byteOffset: property(prototype, 'byteOffset'),
    byteLength: property(prototype, 'byteLength'),
  };
}

const typedArray = view(Object.getPrototypeOf(Uint8Array.prototype));
const dataView = view(DataView.prototype);
const resizable = property(ArrayBuffer.prototype, 'resizable');
const growable = property(SharedArrayBuffer.prototype, 'growable');

function argumentError(Class, code, message) {
  return Object.assign(new Class(message), { code });
}

/** The bytes of any buffer or view. */
function bytesOf(data) {
  if (!ArrayBuffer.isView(data)) {
    if (!isAnyArrayBuffer(data)) {
      const message = 'pass a Buffer, a typed array, a DataView, an ArrayBuffer or a SharedArrayBuffer';
      throw argumentError(TypeError, 'ERR_INVALID_ARG_TYPE', message);
    }
    return attached(data, () => new Uint8Array(data));
  }
  const kind = isDataView(data) ? dataView : typedArray;
  const buffer = kind.buffer(data);
  return attached(buffer, () => new Uint8Array(buffer, kind.byteOffset(data), kind.byteLength(data)));
}

function attached(buffer, make) {
  try {
    new Uint8Array(buffer, 0, 0);
  } catch {
    giveBack(buffer);
    const message = 'this buffer is detached: it was closed, or transferred to another thread, and has no memory any more';
    throw argumentError(TypeError, 'ERR_INVALID_STATE', message);
  }
  return make();
}

function isOfFixedLength(buffer) {
  return !(isSharedArrayBuffer(buffer) ? growable(buffer) : resizable(buffer));
}

function lock(data) {
  const bytes = bytesOf(data);
  const { buffer, byteOffset, byteLength } = bytes;
  if (!isOfFixedLength(buffer)) {
    const message = 'a buffer that can be resized cannot be locked: its memory can go away; use one of fixed length';
    throw argumentError(TypeError, 'ERR_INVALID_ARG_VALUE', message);
  }
  if (byteLength === 0) return true;
  const pages = native.lockPages(bytes);
  if (pages === null) return false;
  const ranges = locks.get(buffer) ?? new Map();
  const range = `${byteOffset}+${byteLength}`;
  ranges.set(range, [...(ranges.get(range) ?? []), pages]);
  locks.set(buffer, ranges);
  return true;
}

function unlock(data) {
  const { buffer, byteOffset, byteLength } = bytesOf(data);
  if (byteLength === 0) return true;
  const ranges = locks.get(buffer);
  const range = `${byteOffset}+${byteLength}`;
  const held = ranges?.get(range);
  if (!held) {
    const message = 'this range is not locked: unlock what lock() was given, as often as it was';
    throw argumentError(Error, 'ERR_INVALID_STATE', message);
  }
  held.pop().release();
  if (held.length === 0) ranges.delete(range);
  if (ranges.size === 0) locks.delete(buffer);
  return true;
}

/** Gives back all locks of a buffer that is gone. */
function giveBack(buffer) {
  for (const held of locks.get(buffer)?.values() ?? []) held.forEach((pages) => pages.release());
  locks.delete(buffer);
}

function zero(data) {
  native.wipe(bytesOf(data));
}

function secureAlloc(size) {
  if (typeof size !== 'number') throw argumentError(TypeError, 'ERR_INVALID_ARG_TYPE', 'the size is a number of bytes');
  if (!Number.isInteger(size) || size < 0 || size > constants.MAX_LENGTH) {
    const message = `the size is a whole number of bytes from 0 to ${constants.MAX_LENGTH}`;
    throw argumentError(RangeError, 'ERR_OUT_OF_RANGE', message);
  }
  if (size > 0) return secureBuffer(valueOf(native.allocSecret(size)));
  const none = new ArrayBuffer(0);
  return closable(Buffer.from(none), () => close(none));
}

/** The ArrayBuffer over the addon's memory. */
function memoryOf(secret) {
  const memory = secret.buffer();
  secrets.set(memory, secret);
  return memory;
}

/** The addon's memory as a Buffer like those of secureAlloc(). */
function secureBuffer(secret) {
  const memory = memoryOf(secret);
  return closable(Buffer.from(memory), () => close(memory));
}

function closable(buffer, close) {
  const hidden = { value: close, enumerable: false };
  Object.defineProperty(buffer, 'close', hidden);
  if (Symbol.dispose) Object.defineProperty(buffer, Symbol.dispose, hidden);
  return opaque(buffer, 'SecureBuffer');
}

function close(memory) {
  giveBack(memory);
  secrets.get(memory)?.close(memory);
}

function getMemoryProtectionInfo() {
  const { refusal, full, mapped, locked, limit, dumpExcluded } = native.protection();
  const canLock = refusal === undefined;
  const dumped = dumpExcluded ? 'none is' : 'some are';
  const kept = `${locked} of the library's own ${mapped} bytes are locked, ${dumped} in core dumps`;
  const bytes = limit === undefined ? 'unlimited' : `${limit} bytes`;
  const details = canLock
    ? `mlock: a page was locked just now; RLIMIT_MEMLOCK is ${bytes}; ${kept}`
    : `zeroing only: ${refusal}; ${kept}`;
  return {
    canLock,
    isPlatformSecure: canLock && full,
    method: canLock ? 'mlock' : 'zero-only',
    details,
  };
}

module.exports = { lock, unlock, zero, secureAlloc, getMemoryProtectionInfo };
// For client.js alone: not listed among the functions of this module.
Object.defineProperty(module.exports, 'secureBuffer', { value: secureBuffer });

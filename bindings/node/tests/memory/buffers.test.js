'use strict';

// lock(), unlock() and zero() on whatever holds bytes.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const vm = require('node:vm');
const memory = require('../../lib/memory.js');
const { collect, lockedByCaller, skip } = require('./process.js');

const PAGE = 4096;
const ELEMENTS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array,
  Float64Array, BigInt64Array, BigUint64Array,
]; // prettier-ignore
if (globalThis.Float16Array) ELEMENTS.push(globalThis.Float16Array);

/** Every kind of buffer, of 24 bytes, and all the memory that it is in. */
function kinds() {
  const whole = (make) => {
    const buffer = make(24);
    return { data: buffer, around: new Uint8Array(buffer), start: 0 };
  };
  const within = (Class, length) => {
    const buffer = new ArrayBuffer(64);
    return { data: new Class(buffer, 16, length), around: new Uint8Array(buffer), start: 16 };
  };
  const pooled = Buffer.from('a'.repeat(24));
  return {
    ArrayBuffer: whole((n) => new ArrayBuffer(n)),
    SharedArrayBuffer: whole((n) => new SharedArrayBuffer(n)),
    DataView: within(DataView, 24),
    'Buffer of the pool': { data: pooled, around: new Uint8Array(pooled.buffer), start: pooled.byteOffset },
    'Buffer of its own': { data: Buffer.alloc(24), around: new Uint8Array(64), start: 20, apart: true },
    ...Object.fromEntries(ELEMENTS.map((Class) => [Class.name, within(Class, 24 / Class.BYTES_PER_ELEMENT)])),
  };
}

const detached = () => {
  const buffer = new ArrayBuffer(16);
  const views = [buffer, new Uint8Array(buffer), new DataView(buffer), Buffer.from(buffer)];
  structuredClone(buffer, { transfer: [buffer] });
  return views;
};

test('every kind of buffer can be locked, and unlocked again', { skip }, () => {
  for (const [name, { data }] of Object.entries(kinds())) {
    const before = lockedByCaller();
    assert.equal(memory.lock(data), true, name);
    assert.ok(lockedByCaller() - before >= PAGE, name);
    assert.equal(memory.unlock(data), true, name);
    assert.equal(lockedByCaller(), before, name);
  }
});

test('zero overwrites the bytes of the view, and none beside it', () => {
  for (const [name, { data, around, start, apart }] of Object.entries(kinds())) {
    const bytes = apart ? data : around;
    const first = apart ? 0 : start;
    bytes.fill(0x77);
    memory.zero(data);
    bytes.forEach((byte, at) => assert.equal(byte, at >= first && at < first + 24 ? 0 : 0x77, `${name} at ${at}`));
    if (!apart) around.fill(0);
  }
});

test('a lock covers the pages of the view, and only these', { skip }, () => {
  const buffer = new ArrayBuffer(64 * PAGE);
  const before = lockedByCaller();
  const view = new Uint8Array(buffer, 8 * PAGE, 16 * PAGE);
  memory.lock(view);
  const locked = lockedByCaller() - before;
  assert.ok(locked === 16 * PAGE || locked === 17 * PAGE, `${locked} bytes`);
  memory.unlock(view);
});

test('100 MiB are locked whole or refused whole', { skip }, () => {
  const large = Buffer.allocUnsafe(100 * 1024 * 1024);
  const before = lockedByCaller();
  const locked = memory.lock(large);
  assert.equal(lockedByCaller() - before >= (locked ? large.length : 0), true);
  assert.equal(lockedByCaller() - before <= (locked ? large.length + PAGE : 0), true);
  if (locked) memory.unlock(large);
  assert.equal(lockedByCaller(), before);
  memory.zero(large);
  assert.equal(large.every((byte) => byte === 0), true);
});

test('nothing is done to nothing, which succeeds', () => {
  const before = lockedByCaller();
  const buffer = new ArrayBuffer(8);
  for (const nothing of [new ArrayBuffer(0), Buffer.alloc(0), new Uint8Array(buffer, 8), new DataView(buffer, 8)]) {
    assert.equal(memory.lock(nothing), true);
    assert.equal(memory.unlock(nothing), true);
    memory.zero(nothing);
  }
  assert.equal(lockedByCaller(), before);
});

test('a detached buffer is an error that says so', () => {
  for (const call of [memory.lock, memory.unlock, memory.zero]) {
    for (const data of detached()) {
      assert.throws(() => call(data), { name: 'TypeError', code: 'ERR_INVALID_STATE', message: /detached/ });
    }
  }
});

test('what holds no bytes is a TypeError that says what does', () => {
  const almost = [new Proxy(Buffer.alloc(8), {}), Object.create(Uint8Array.prototype)];
  for (const call of [memory.lock, memory.unlock, memory.zero]) {
    for (const wrong of [undefined, null, 'text', 7, 7n, {}, [1, 2], () => 0, Symbol('s'), ...almost]) {
      assert.throws(() => call(wrong), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /Buffer/ });
    }
  }
});

test('a class that lies about its offset and length changes nothing', () => {
  class Liar extends Uint8Array {
    get byteOffset() {
      return 4096;
    }
    get byteLength() {
      return 1 << 30;
    }
    get buffer() {
      return new ArrayBuffer(0);
    }
  }
  const liar = new Liar(16).fill(1);
  assert.equal(memory.lock(liar), true);
  memory.zero(liar);
  assert.deepEqual([...liar], Array(16).fill(0));
  assert.equal(memory.unlock(liar), true);
});

test('two buffers on one page keep it locked until both are unlocked', { skip }, () => {
  const shared = new ArrayBuffer(256);
  const [one, other] = [new Uint8Array(shared, 0, 100), new Uint8Array(shared, 128, 100)];
  const before = lockedByCaller();
  memory.lock(one);
  memory.lock(other);
  memory.unlock(one);
  assert.ok(lockedByCaller() > before);
  memory.unlock(other);
  assert.equal(lockedByCaller(), before);
});

test('unlocking once too often is an error, and takes no lock from a neighbour', { skip }, () => {
  const shared = new ArrayBuffer(256);
  const [one, other] = [new Uint8Array(shared, 0, 100), new Uint8Array(shared, 128, 100)];
  const before = lockedByCaller();
  memory.lock(one);
  memory.lock(other);
  memory.unlock(one);
  const notLocked = { code: 'ERR_INVALID_STATE', message: /not locked/ };
  assert.throws(() => memory.unlock(one), notLocked);
  assert.throws(() => memory.unlock(new Uint8Array(shared, 0, 99)), notLocked);
  assert.throws(() => memory.unlock(shared), notLocked);
  assert.ok(lockedByCaller() > before);
  memory.unlock(other);
  assert.equal(lockedByCaller(), before);
});

test('locks of one buffer nest, whichever view names it', { skip }, () => {
  const buffer = new ArrayBuffer(100);
  const before = lockedByCaller();
  memory.lock(buffer);
  memory.lock(new DataView(buffer));
  memory.unlock(Buffer.from(buffer));
  assert.ok(lockedByCaller() > before);
  memory.unlock(buffer);
  assert.equal(lockedByCaller(), before);
  assert.throws(() => memory.unlock(buffer), /not locked/);
});

test('a buffer that is forgotten while it is locked stays locked, and is not collected', { skip }, async () => {
  const before = lockedByCaller();
  const forgotten = (() => {
    const buffer = new ArrayBuffer(1024 * 1024);
    memory.lock(buffer);
    return new WeakRef(buffer);
  })();
  await collect();
  assert.ok(lockedByCaller() - before >= 1024 * 1024);
  memory.unlock(forgotten.deref());
  assert.equal(lockedByCaller(), before);
});

test('a buffer that is unlocked can be collected', { skip }, async () => {
  const forgotten = (() => {
    const buffer = new ArrayBuffer(1024 * 1024);
    memory.lock(buffer);
    memory.unlock(buffer);
    return new WeakRef(buffer);
  })();
  await collect(() => !forgotten.deref());
  assert.equal(forgotten.deref(), undefined);
});

test('the locks of a buffer that is transferred come back when it is unlocked, with the error', { skip }, () => {
  const before = lockedByCaller();
  const buffer = new ArrayBuffer(100);
  memory.lock(buffer);
  memory.lock(buffer);
  const moved = structuredClone(buffer, { transfer: [buffer] });
  assert.throws(() => memory.unlock(buffer), /detached/);
  assert.equal(lockedByCaller(), before);
  assert.throws(() => memory.unlock(moved), /not locked/);
  assert.equal(memory.lock(moved), true);
  memory.unlock(moved);
});

const resizable = new ArrayBuffer(8, { maxByteLength: 16 }).resizable;

test('a buffer that can be resized is not locked, but zeroed', { skip: !resizable && 'this Node has none' }, () => {
  for (const buffer of [new ArrayBuffer(8, { maxByteLength: 16 }), new SharedArrayBuffer(8, { maxByteLength: 16 })]) {
    const message = /can be resized cannot be locked/;
    assert.throws(() => memory.lock(buffer), { name: 'TypeError', message });
    assert.throws(() => memory.lock(new Uint8Array(buffer)), { name: 'TypeError', message });
    const bytes = new Uint8Array(buffer).fill(1);
    memory.zero(buffer);
    assert.deepEqual([...bytes], Array(8).fill(0));
  }
  const shrunk = new ArrayBuffer(16, { maxByteLength: 16 });
  const outside = new Uint8Array(shrunk, 8, 8);
  shrunk.resize(4);
  memory.zero(outside);
});

test('buffers of another realm are buffers like any other', { skip }, () => {
  for (const kind of ['ArrayBuffer', 'SharedArrayBuffer']) {
    const foreign = vm.runInNewContext(`new ${kind}(64)`);
    assert.ok(memory.lock(foreign) && memory.unlock(foreign), kind);
    memory.zero(foreign);
  }
});

test('memory of WebAssembly is a buffer like any other', () => {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 4 });
  const old = wasm.buffer;
  assert.equal(memory.lock(old), true);
  wasm.grow(1);
  assert.throws(() => memory.unlock(old), /detached/);
  memory.zero(wasm.buffer);
});

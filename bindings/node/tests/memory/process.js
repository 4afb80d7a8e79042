'use strict';

// What the kernel says about a process: which of its pages are locked, and where in its memory bytes are.

const fs = require('node:fs');
const v8 = require('node:v8');
const vm = require('node:vm');
const native = require('../../lib/native.js');

/** AddressSanitizer makes mlock do nothing, and maps terabytes: what is compared with the kernel's figures is not so. */
const sanitized = fs.readFileSync('/proc/self/maps', 'latin1').includes('libasan');
const skip = sanitized && 'AddressSanitizer makes mlock do nothing, and maps terabytes';

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Collects until `done`, or a while. Finalizers run when the loop turns. */
async function collect(done = () => false) {
  for (let i = 0; i < 20 && !done(); i++) {
    await new Promise(setImmediate);
    gc();
  }
  await new Promise(setImmediate);
}

/** Bytes that this process has locked beside the library's own. */
function lockedByCaller() {
  const { locked } = native.protection(); // first: it may grow the library's memory
  return statusBytes('VmLck') - locked;
}

function statusBytes(name) {
  const status = fs.readFileSync('/proc/self/status', 'latin1');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
}

/** 32 bytes that are nowhere else, made without leaving a copy: written into `bytes` one by one. */
function mark(bytes, seed) {
  for (let i = 0, x = seed; i < 32; i++) {
    x = (x * 1103515245 + 12345) % 2147483648;
    bytes[i] = (x >> 16) & 255;
  }
  return bytes;
}

/** The mappings of process `pid` that hold the mark of `seed`, with the flags that smaps has for each. */
function find(pid, seed) {
  const wanted = mark(Buffer.alloc(32), seed);
  const memory = fs.openSync(`/proc/${pid}/mem`);
  try {
    return mappings(pid).filter(({ start, end, readable }) => readable && holds(memory, start, end, wanted));
  } finally {
    fs.closeSync(memory);
  }
}

function holds(memory, start, end, wanted) {
  const chunk = Buffer.alloc(1 << 20);
  for (let at = start; at < end; at += chunk.length - wanted.length) {
    let read;
    try {
      read = fs.readSync(memory, chunk, 0, Math.min(chunk.length, end - at), at);
    } catch {
      return false; // a device, or gone meanwhile
    }
    if (chunk.subarray(0, read).includes(wanted)) return true;
  }
  return false;
}

function mappings(pid) {
  const found = [];
  for (const line of fs.readFileSync(`/proc/${pid}/smaps`, 'latin1').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line);
    if (range) {
      const [start, end] = [parseInt(range[1], 16), parseInt(range[2], 16)];
      found.push({ start, end, readable: range[3].startsWith('rw'), flags: [] });
    } else if (line.startsWith('VmFlags:')) {
      found.at(-1).flags = line.slice('VmFlags:'.length).trim().split(' ');
    }
  }
  return found;
}

module.exports = { native, skip, sanitized, gc, collect, lockedByCaller, mark, find };

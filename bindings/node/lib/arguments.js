'use strict';

// What users pass in, as the addon takes it. What cannot be used is refused here, by its name.

const { types, inspect } = require('node:util');
const { fileURLToPath } = require('node:url');
const { ArgumentError } = require('./errors.js').classes;

/** What kind of thing a value is, without showing it: it may be a secret. */
function kind(value) {
  if (value === null) return 'null';
  const type = typeof value;
  return type === 'object' ? `an object (${value.constructor?.name ?? 'no class'})` : `a ${type}`;
}

function string(value, name) {
  if (typeof value !== 'string') throw new ArgumentError(`${name} must be a string, not ${kind(value)}`);
  return value;
}

function boolean(value, name) {
  if (typeof value !== 'boolean') throw new ArgumentError(`${name} must be true or false, not ${kind(value)}`);
  return value;
}

function integer(value, name, most = Number.MAX_SAFE_INTEGER) {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new ArgumentError(`${name} must be a whole number from 0 to ${most}, not ${shown(value)}`);
  }
  return value;
}

/** Milliseconds, rounded up, so that a short wait never becomes none. */
function milliseconds(value, name) {
  if (typeof value !== 'number' || !(value >= 0 && value < 1e15)) {
    throw new ArgumentError(`${name} must be a number of milliseconds, not ${shown(value)}`);
  }
  return Math.ceil(value);
}

function oneOf(names) {
  return (value, name) => {
    if (!names.includes(value)) throw new ArgumentError(`${name} must be one of: ${names.join(', ')}`);
    return value;
  };
}

/** A path, or a file: URL. */
function path(value, name) {
  const text = value instanceof URL ? fileURLToPath(value) : string(value, name);
  if (text === '' || text.includes('\0')) throw new ArgumentError(`${name} must be a path, not empty and without NUL`);
  return text;
}

/** Text, or bytes, which are not copied here: whoever passes them in may wipe them when the function has returned. */
function secret(value, name) {
  return typeof value === 'string' ? value : bytes(value, name);
}

function bytes(value, name) {
  if (ArrayBuffer.isView(value)) {
    shared(value.buffer, name);
    return value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (types.isAnyArrayBuffer(value)) {
    shared(value, name);
    return new Uint8Array(value);
  }
  throw new ArgumentError(`${name} must be bytes (a Buffer, Uint8Array or ArrayBuffer), not ${kind(value)}`);
}

function shared(buffer, name) {
  if (types.isSharedArrayBuffer(buffer)) {
    throw new ArgumentError(`${name} is in shared memory, which another thread may change meanwhile; pass a copy`);
  }
}

/** A request as JSON. An object becomes a string, which nobody can wipe; bytes stay the caller's. */
function requestJson(request) {
  if (ArrayBuffer.isView(request) || types.isAnyArrayBuffer(request)) return bytes(request, 'request');
  if (request === null || typeof request !== 'object' || Array.isArray(request)) {
    throw new ArgumentError(`a request is an object, or JSON as bytes, not ${kind(request)}`);
  }
  let json;
  try {
    json = JSON.stringify(request);
  } catch (e) {
    // What JSON cannot hold: a BigInt, a cycle. The message names the constructor and the property, no value.
    throw new ArgumentError(`the request cannot be written as JSON: ${e.message.split('\n')[0]}`);
  }
  if (json === undefined) throw new ArgumentError('the request has a toJSON() that returns nothing');
  return json;
}

/** The options by their names, read by `readers`; an unknown name is refused. What is undefined or null is left out. */
function options(given, readers, what) {
  if (given === undefined || given === null) return {};
  if (typeof given !== 'object') throw new ArgumentError(`${what} is an object, not ${kind(given)}`);
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(readers, name));
  if (unknown.length > 0) {
    throw new ArgumentError(
      `unknown in ${what}: ${unknown.join(', ')}. There are: ${Object.keys(readers).join(', ')}`,
    );
  }
  const read = {};
  for (const [name, reader] of Object.entries(readers)) {
    const value = given[name];
    if (value !== undefined && value !== null) read[name] = reader(value, name);
  }
  return read;
}

function shown(value) {
  return typeof value === 'number' ? inspect(value) : kind(value);
}

module.exports = { boolean, bytes, integer, kind, milliseconds, oneOf, options, path, requestJson, secret, string };

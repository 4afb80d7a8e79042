'use strict';

// What users pass in, as the addon takes it. What cannot be used is refused here, by its name.

const { types, inspect } = require('node:util');
const { fileURLToPath } = require('node:url');
const { ArgumentError } = require('./errors.js').classes;
const { refuseOptionsInRequest, refuseUnknown } = require('./names.js');

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

/** A secret that protects something: an empty one would protect it as well as none. */
function password(value, name) {
  const given = secret(value, name);
  if (given.length === 0) throw new ArgumentError(`${name} is empty; leave it out if there is to be none`);
  return given;
}

function bytes(value, name) {
  if (ArrayBuffer.isView(value)) {
    usable(value.buffer, name);
    return value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (types.isAnyArrayBuffer(value)) {
    usable(value, name);
    return new Uint8Array(value);
  }
  throw new ArgumentError(`${name} must be bytes (a Buffer, Uint8Array or ArrayBuffer), not ${kind(value)}`);
}

function usable(buffer, name) {
  if (types.isSharedArrayBuffer(buffer)) {
    throw new ArgumentError(`${name} is in shared memory, which another thread may change meanwhile; pass a copy`);
  }
  try {
    new Uint8Array(buffer, 0, 0);
  } catch {
    throw new ArgumentError(`${name} has no memory any more: it was closed, or transferred to another thread`);
  }
}

/** A request as JSON. An object becomes a string, which nobody can wipe; bytes stay the caller's. */
function requestJson(request) {
  if (ArrayBuffer.isView(request) || types.isAnyArrayBuffer(request)) return bytes(request, 'request');
  if (request === null || typeof request !== 'object' || Array.isArray(request)) {
    throw new ArgumentError(`a request is an object, or JSON as bytes, not ${kind(request)}`);
  }
  const { json, given } = written(request, 'the request');
  if (given !== null && typeof given === 'object') refuseOptionsInRequest(given);
  return json;
}

/** A value as JSON, or JSON as bytes, which stay the caller's. */
function jsonOrBytes(value, name) {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) ? bytes(value, name) : written(value, name).json;
}

/** The JSON of a value, and what its toJSON() has put in its place. */
function written(value, name) {
  let json;
  let given;
  try {
    given = typeof value?.toJSON === 'function' ? value.toJSON('') : value;
    json = JSON.stringify(given);
  } catch {
    // The exception may hold anything.
    throw new ArgumentError(`${name} cannot be written as JSON: it holds a BigInt, a cycle, or a toJSON() that throws`);
  }
  if (json === undefined) {
    throw new ArgumentError(`${name} cannot be written as JSON: it is undefined, or has a toJSON() that returns nothing`);
  }
  return { json, given };
}

/** Refuses what would be read as an object without members: a Map, an array, an instance of a class. */
function plain(value, what) {
  const prototype = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== null && (prototype === undefined || Object.getPrototypeOf(prototype) !== null)) {
    throw new ArgumentError(`${what} must be a plain object, not ${kind(value)}`);
  }
  return value;
}

/**
 * The options by their names, read by `readers`. An unknown name is a TypeError; `elsewhere` says for names of other places
 * where they belong. Values that are undefined or null are left out.
 * Neither what is read nor what is returned has members by way of a prototype, which other code may have changed.
 */
function options(given, readers, what, elsewhere = undefined) {
  const read = { __proto__: null };
  if (given === undefined || given === null) return read;
  plain(given, what);
  refuseUnknown(Object.keys(given), Object.keys(readers), what, elsewhere);
  for (const [name, reader] of Object.entries(readers)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value !== undefined && value !== null) read[name] = reader(value, name);
  }
  return read;
}

function shown(value) {
  return typeof value === 'number' ? inspect(value) : kind(value);
}

module.exports = {
  boolean,
  bytes,
  integer,
  jsonOrBytes,
  kind,
  milliseconds,
  oneOf,
  options,
  password,
  path,
  plain,
  requestJson,
  secret,
  string,
};

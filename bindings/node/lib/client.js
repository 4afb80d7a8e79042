'use strict';

// A client of one server.

const native = require('./native.js');
const { cancelled, watch } = require('./abort.js');
const a = require('./arguments.js');
const { policyOf } = require('./attestation.js');
const { classes, valueOf } = require('./errors.js');
const { Response } = require('./response.js');
const { Sealed, nativeOf } = require('./sealed.js');

const U32 = 2 ** 32 - 1;
const LEVELS = ['error', 'warn', 'info', 'debug'];

// What each option is read with; also the list of the options that there are.
const OPTIONS = {
  baseUrl: a.string,
  apiKey: a.secret,
  allowHttp: a.boolean,
  timeout: a.milliseconds,
  connectTimeout: a.milliseconds,
  maxRetries: (value, name) => a.integer(value, name, U32),
  rateLimit,
  responseLimit: (value, name) => a.integer(value, name),
  proxy: a.string,
  caFile: a.path,
  serverKeyPins: pins,
  knownServers: a.path,
  serverKeyTtl: a.milliseconds,
  keyDir: a.path,
  keyPassword: a.password,
  keyRotationInterval: a.milliseconds,
  attestation: demand,
  memory: a.oneOf(['off', 'prefer', 'require']),
  environment: a.boolean,
  log: logger,
  logLevel: a.oneOf(LEVELS),
};

const CALL_OPTIONS = { signal, securityTier: a.string, apiKey: a.secret, timeout: a.milliseconds };

class Client {
  #native;

  constructor(options = undefined) {
    const given = a.options(options, OPTIONS, 'the options of a client');
    const settings = { __proto__: null, ...(given.environment === false ? {} : fromEnvironment()), ...given };
    const { apiKey, keyPassword, log, logLevel = 'info' } = settings;
    this.#native = valueOf(
      native.makeClient(settings, apiKey, keyPassword, LEVELS.indexOf(logLevel) + 1, log && written(log)),
    );
    if (Symbol.dispose) Object.defineProperty(this, Symbol.dispose, { value: this.close });
  }

  async create(request, options = undefined) {
    const json = a.requestJson(request);
    const { signal, securityTier, apiKey, timeout } = a.options(options, CALL_OPTIONS, 'the options of a call');
    if (signal?.aborted) throw cancelled(signal);
    const cancel = new native.NativeCancel();
    const outcome = this.#open().create({ securityTier, timeout }, cancel, json, apiKey);
    const unwatch = signal && watch(signal, cancel);
    try {
      return new Response(valueOf(await outcome));
    } catch (error) {
      throw error instanceof classes.CancelledError && signal?.aborted ? cancelled(signal, error) : error;
    } finally {
      unwatch?.();
    }
  }

  async warmUp() {
    valueOf(await this.#open().warmUp());
  }

  async serverKey() {
    return valueOf(await this.#open().serverKey());
  }

  async publicKey() {
    return valueOf(await this.#open().publicKey());
  }

  async generateKeys(keyDir = undefined, password = undefined) {
    valueOf(await this.#open().generateKeys(optionalPath(keyDir, 'keyDir'), optionalPassword(password)));
  }

  async loadKeys(privateKey, publicKey = undefined, password = undefined) {
    const files = [a.path(privateKey, 'privateKey'), optionalPath(publicKey, 'publicKey')];
    valueOf(await this.#open().loadKeys(...files, optionalPassword(password)));
  }

  async saveKeys(keyDir, password = undefined) {
    valueOf(await this.#open().saveKeys(a.path(keyDir, 'keyDir'), optionalPassword(password)));
  }

  async rotateKeys() {
    valueOf(await this.#open().rotateKeys());
  }

  async seal(serverPem, request, options = undefined) {
    const read = a.options(options, { securityTier: a.string }, 'the options of seal()');
    const json = a.requestJson(request);
    return new Sealed(valueOf(await this.#open().seal(read, a.secret(serverPem, 'serverPem'), json)));
  }

  async open(sealed, body) {
    const request = nativeOf(sealed);
    if (!request) throw new classes.ArgumentError('the request is what seal() returned');
    return new Response(valueOf(await this.#open().open(request, a.bytes(body, 'body'))));
  }

  close() {
    this.#native?.close();
    this.#native = null;
  }

  #open() {
    if (this.#native === null) throw new classes.ArgumentError('the client is closed; make another one');
    return this.#native;
  }
}

/** NOMYO_ variables, as this thread's process.env has them: a worker may have its own. Empty counts as unset. */
function fromEnvironment() {
  const variable = (name) => (Object.hasOwn(process.env, name) ? process.env[name] : '');
  const found = {
    baseUrl: variable('NOMYO_BASE_URL'),
    apiKey: variable('NOMYO_API_KEY'),
    keyDir: variable('NOMYO_KEY_DIR'),
    keyPassword: variable('NOMYO_KEY_PASSWORD'),
    serverKeyPins: variable('NOMYO_SERVER_KEY_PIN') && variable('NOMYO_SERVER_KEY_PIN').split(',').map((pin) => pin.trim()),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value));
}

function pins(value, name) {
  const given = [value].flat();
  if (given.length === 0) throw new classes.ArgumentError(`${name} is empty; leave it out if any key is to be accepted`);
  return given.map((pin) => a.string(pin, name));
}

/** A policy for every answer, which has to require something. */
function demand(value, name) {
  const policy = policyOf(value, name);
  if (policy.require === 0) {
    throw new classes.ArgumentError(`${name}.require is missing: 'consistent' or 'baseline'; without it nothing is withheld`);
  }
  return policy;
}

function rateLimit(value, name) {
  const { perSecond, burst } = a.options(value, { perSecond: (n) => n, burst: (n) => a.integer(n, 'burst', U32) }, name);
  if (typeof perSecond !== 'number' || burst === undefined) {
    throw new classes.ArgumentError(`${name} is such as { perSecond: 2, burst: 4 }`);
  }
  return { perSecond, burst };
}

/** Something with the methods of `console`. */
function logger(value, name) {
  if (!LEVELS.every((level) => typeof value[level] === 'function')) {
    throw new classes.ArgumentError(`${name} has the methods ${LEVELS.join(', ')}, as console does`);
  }
  return value;
}

function written(log) {
  return (level, line) => log[LEVELS[level - 1] ?? 'debug'](line);
}

function signal(value, name) {
  if (typeof value.aborted !== 'boolean' || typeof value.addEventListener !== 'function') {
    throw new classes.ArgumentError(`${name} must be an AbortSignal, not ${a.kind(value)}`);
  }
  return value;
}

function optionalPath(value, name) {
  return value === undefined || value === null ? undefined : a.path(value, name);
}

function optionalPassword(value) {
  return value === undefined || value === null ? undefined : a.password(value, 'password');
}

module.exports = { Client };

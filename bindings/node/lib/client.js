'use strict';

// A client of one server.

const native = require('./native.js');
const { cancelled, watch } = require('./abort.js');
const a = require('./arguments.js');
const { policyOf } = require('./attestation.js');
const { ENVIRONMENTS, variablesFor } = require('./environment.js');
const { classes, valueOf } = require('./errors.js');
const { LIMITS, limitsOf } = require('./limits.js');
const { secureBuffer } = require('./memory.js');
const { refuseMore } = require('./names.js');
const { Response } = require('./response.js');
const { Sealed, nativeOf } = require('./sealed.js');
const { clientCertificate, moreCas, pemTexts } = require('./trust.js');

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
  headers,
  caFile: a.path,
  caPem: pemTexts,
  clientCertificate,
  serverKeyPins: pins,
  tlsPins: pins,
  postQuantum: a.boolean,
  knownServers: a.path,
  serverKeyTtl: a.milliseconds,
  keyDir: a.path,
  keyPassword: a.password,
  keyRotationInterval: a.milliseconds,
  keyGroupRead: a.boolean,
  attestation: demand,
  memory: a.oneOf(['off', 'prefer', 'require']),
  environment: a.oneOf(ENVIRONMENTS),
  log: logger,
  logLevel: a.oneOf(LEVELS),
};

const CALL_OPTIONS = { ...LIMITS, securityTier: a.string, apiKey: a.secret };
const SEAL_OPTIONS = { ...LIMITS, securityTier: a.string };

class Client {
  #native;

  constructor(options = undefined, ...more) {
    refuseMore(more, 'new Client()');
    const given = a.options(options, OPTIONS, 'the options of a client');
    const { apiKey, keyPassword, log, logLevel = 'info', clientCertificate: own, ...plain } = given;
    const variables = variablesFor(given);
    const settings = { __proto__: null, ...plain, variables, moreCas: moreCas(given, variables) };
    Object.assign(settings, { clientCertificate: own?.certificate, clientCertificateFile: own?.certificateFile, clientKeyFile: own?.keyFile });
    this.#native = valueOf(
      native.makeClient(settings, apiKey, keyPassword, own?.key, LEVELS.indexOf(logLevel) + 1, log && written(log)),
    );
    if (Symbol.dispose) Object.defineProperty(this, Symbol.dispose, { value: this.close });
  }

  async create(request, options = undefined, ...more) {
    refuseMore(more, 'create()');
    const json = a.requestJson(request);
    const read = a.options(options, CALL_OPTIONS, 'the options of a call');
    return new Response(await this.#run(read, (addon, ...limits) => addon.create(...limits, json, read.apiKey)));
  }

  async warmUp(options = undefined, ...more) {
    await this.#run(limitsOf(options, more, 'warmUp()'), (addon, ...limits) => addon.warmUp(...limits));
  }

  async serverKey(options = undefined, ...more) {
    return this.#run(limitsOf(options, more, 'serverKey()'), (addon, ...limits) => addon.serverKey(...limits));
  }

  async tlsChain(options = undefined, ...more) {
    return JSON.parse(await this.#run(limitsOf(options, more, 'tlsChain()'), (addon, ...limits) => addon.tlsChain(...limits)));
  }

  async publicKey(options = undefined, ...more) {
    return this.#run(limitsOf(options, more, 'publicKey()'), (addon, ...limits) => addon.publicKey(...limits));
  }

  async generateKeys(keyDir = undefined, password = undefined, options = undefined, ...more) {
    const [dir, secret] = [optionalPath(keyDir, 'keyDir'), optionalPassword(password)];
    const read = limitsOf(options, more, 'generateKeys()');
    await this.#run(read, (addon, ...limits) => addon.generateKeys(...limits, dir, secret));
  }

  async loadKeys(privateKey, publicKey = undefined, password = undefined, options = undefined, ...more) {
    const files = [a.path(privateKey, 'privateKey'), optionalPath(publicKey, 'publicKey')];
    const secret = optionalPassword(password);
    await this.#run(limitsOf(options, more, 'loadKeys()'), (addon, ...limits) => addon.loadKeys(...limits, ...files, secret));
  }

  async loadKeysPem(privateKey, publicKey = undefined, password = undefined, options = undefined, ...more) {
    const texts = [a.secret(privateKey, 'privateKey'), optionalSecret(publicKey, 'publicKey')];
    const secret = optionalPassword(password);
    const read = limitsOf(options, more, 'loadKeysPem()');
    await this.#run(read, (addon, ...limits) => addon.loadKeysPem(...limits, ...texts, secret));
  }

  async privateKeyPem(password = undefined, options = undefined, ...more) {
    const secret = optionalPassword(password);
    const read = limitsOf(options, more, 'privateKeyPem()');
    const text = await this.#run(read, (addon, ...limits) => addon.privateKeyPem(...limits, secret));
    return secureBuffer(valueOf(text.take()));
  }

  async saveKeys(keyDir, password = undefined, options = undefined, ...more) {
    const [dir, secret] = [a.path(keyDir, 'keyDir'), optionalPassword(password)];
    await this.#run(limitsOf(options, more, 'saveKeys()'), (addon, ...limits) => addon.saveKeys(...limits, dir, secret));
  }

  async rotateKeys(options = undefined, ...more) {
    await this.#run(limitsOf(options, more, 'rotateKeys()'), (addon, ...limits) => addon.rotateKeys(...limits));
  }

  async seal(serverPem, request, options = undefined, ...more) {
    refuseMore(more, 'seal()');
    const [pem, json] = [a.secret(serverPem, 'serverPem'), a.requestJson(request)];
    const read = a.options(options, SEAL_OPTIONS, 'the options of seal()');
    return new Sealed(await this.#run(read, (addon, ...limits) => addon.seal(...limits, pem, json)));
  }

  async open(sealed, body, ...more) {
    refuseMore(more, 'open()');
    const request = nativeOf(sealed);
    if (!request) throw new classes.ArgumentError('the request is what seal() returned');
    return new Response(valueOf(await this.#open().open(request, a.bytes(body, 'body'))));
  }

  close() {
    this.#native?.close();
    this.#native = null;
  }

  /**
   * Calls the addon through `begin`, before this function first waits, and returns the value of the outcome. The signal and
   * the timeout of the call end it.
   */
  async #run({ signal, timeout, securityTier }, begin) {
    const addon = this.#open();
    if (signal?.aborted) throw cancelled(signal);
    const cancel = signal && new native.NativeCancel();
    const outcome = begin(addon, { timeout, securityTier }, cancel);
    const unwatch = signal && watch(signal, cancel);
    try {
      return valueOf(await outcome);
    } catch (error) {
      throw error instanceof classes.CancelledError && signal?.aborted ? cancelled(signal, error) : error;
    } finally {
      unwatch?.();
    }
  }

  #open() {
    if (this.#native === null) throw new classes.ArgumentError('the client is closed; make another one');
    return this.#native;
  }
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

function headers(value, name) {
  // A Map or a Headers of fetch has no members of its own, and no header would be sent.
  return Object.entries(a.plain(value, name)).map(([header, text]) => ({ name: header, value: a.string(text, `${name}.${header}`) }));
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

function optionalPath(value, name) {
  return value === undefined || value === null ? undefined : a.path(value, name);
}

function optionalSecret(value, name) {
  return value === undefined || value === null ? undefined : a.secret(value, name);
}

function optionalPassword(value) {
  return value === undefined || value === null ? undefined : a.password(value, 'password');
}

module.exports = { Client };

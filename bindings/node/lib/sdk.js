'use strict';

// The two clients of nomyo-js: the same options, methods, answers and exceptions.

const a = require('./arguments.js');
const { Client } = require('./client.js');
const { classes } = require('./errors.js');
const { limitsOf } = require('./limits.js');
const { refuseMore } = require('./names.js');

const DEFAULT_URL = 'https://api.nomyo.ai';
const DEFAULT_TIMEOUT = 60_000;

// By HTTP status: what precedes the server's words.
const TEXTS = {
  400: 'Bad request',
  401: 'Invalid API key or authentication failed',
  403: 'Forbidden',
  404: 'Endpoint not found',
  429: 'Rate limit exceeded',
  500: 'Server error',
  503: 'Service unavailable',
};

const SHARED = {
  allowHttp: a.boolean,
  apiKey: a.secret,
  secureMemory: a.boolean,
  keyDir: a.path,
  maxRetries: (value, name) => a.integer(value, name),
  timeout: a.milliseconds,
  debug: a.boolean,
  keyRotationInterval: a.milliseconds,
  keyRotationDir: a.path,
  keyRotationPassword: a.password,
};
const CHAT_OPTIONS = { baseUrl: a.string, ...SHARED };
// Every pair has 4096 bits, whatever is asked for.
const CLIENT_OPTIONS = { routerUrl: a.string, ...SHARED, keySize: a.oneOf([2048, 4096]) };
const KEY_OPTIONS = { keySize: a.oneOf([2048, 4096]), saveToFile: a.boolean, keyDir: a.path, password: a.password };

// Where the tier and the key of a call belong, for people who look for them among the options.
const IN_REQUEST = { securityTier: 'write security_tier into the request', apiKey: 'write api_key into the request' };
const IN_ARGUMENTS = { securityTier: 'the fourth argument is the tier', apiKey: 'the third argument is the API key' };

class SecureCompletionClient {
  #client;
  /** What decryptResponse() needs, for as long as the caller has the payload; by its id, and by the payload. */
  #byId = new Map();
  #sealed = new WeakMap();
  #forget = new FinalizationRegistry((id) => this.#byId.delete(id));

  constructor(config = undefined, ...more) {
    refuseMore(more, 'new SecureCompletionClient()');
    this.#client = new Client(clientOptions(a.options(config, CLIENT_OPTIONS, 'the configuration')));
  }

  async generateKeys(options = undefined, ...more) {
    refuseMore(more, 'generateKeys()');
    const { saveToFile, keyDir, password } = a.options(options, KEY_OPTIONS, 'the options of generateKeys()');
    await (saveToFile ? this.#client.generateKeys(keyDir ?? 'client_keys', password) : this.#client.generateKeys());
  }

  async loadKeys(privateKeyPath, publicKeyPath = undefined, password = undefined, ...more) {
    refuseMore(more, 'loadKeys()');
    await this.#client.loadKeys(privateKeyPath, publicKeyPath, password);
  }

  async fetchServerPublicKey(...more) {
    refuseMore(more, 'fetchServerPublicKey()');
    return (await this.#client.serverKey()).pem;
  }

  async encryptPayload(payload, ...more) {
    refuseMore(more, 'encryptPayload()');
    const json = Buffer.from(a.requestJson(payload)); // as it is now, before anybody changes it
    let sealing;
    try {
      const { pem } = await this.#client.serverKey();
      sealing = this.#client.seal(pem, json);
    } finally {
      json.fill(0);
    }
    const sealed = await sealing;
    const { body, headers, payloadId } = sealed;
    const encrypted = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength);
    Object.assign(encrypted, { headers, payloadId });
    this.#byId.set(payloadId, new WeakRef(encrypted));
    this.#sealed.set(encrypted, sealed);
    this.#forget.register(encrypted, payloadId);
    return encrypted;
  }

  async decryptResponse(encryptedResponse, payloadId, ...more) {
    refuseMore(more, 'decryptResponse()');
    const sealed = this.#sealed.get(this.#byId.get(payloadId)?.deref());
    if (sealed === undefined) {
      throw new classes.ArgumentError('payloadId is not of a payload that encryptPayload() returned and that is still kept');
    }
    return taken(await this.#client.open(sealed, encryptedResponse));
  }

  async sendSecureRequest(payload, payloadId, apiKey = undefined, securityTier = undefined, options = undefined, ...more) {
    const limits = limitsOf(options, more, 'sendSecureRequest()', IN_ARGUMENTS);
    try {
      return taken(await this.#client.create(payload, { __proto__: null, ...limits, apiKey, securityTier }));
    } catch (error) {
      if (error instanceof classes.APIError) sayAsTheSdk(error);
      throw error;
    }
  }

  dispose() {
    this.#client.close();
  }
}

class SecureChatCompletion {
  #client;

  constructor(config = undefined, ...more) {
    refuseMore(more, 'new SecureChatCompletion()');
    const { baseUrl, ...options } = a.options(config, CHAT_OPTIONS, 'the configuration');
    this.#client = new SecureCompletionClient({ routerUrl: baseUrl, ...options });
    if (Symbol.dispose) Object.defineProperty(this, Symbol.dispose, { value: this.dispose });
  }

  async create(request, options = undefined, ...more) {
    const limits = limitsOf(options, more, 'create()', IN_REQUEST);
    if (!request?.model) throw new classes.ArgumentError('Missing required field: model');
    if (!Array.isArray(request.messages)) {
      throw new classes.ArgumentError('Missing or invalid required field: messages');
    }
    // The tier stays in: the library takes it out, and makes a header of it.
    const { api_key: apiKey, ...payload } = request;
    return this.#client.sendSecureRequest(payload, '', apiKey || undefined, undefined, limits);
  }

  async acreate(request, options = undefined, ...more) {
    return this.create(request, options, ...more);
  }

  dispose() {
    this.#client.dispose();
  }
}

/** The SDK's options as the library's. */
function clientOptions(given) {
  const { routerUrl = DEFAULT_URL, allowHttp = false, secureMemory = true, timeout = DEFAULT_TIMEOUT } = given;
  const { keyDir, keyRotationDir, keyRotationPassword } = given;
  if (keyDir !== undefined && keyRotationDir !== undefined && keyDir !== keyRotationDir) {
    throw new classes.ArgumentError('keyDir and keyRotationDir are one directory: a pair that is rotated stays where it is');
  }
  if (allowHttp && !routerUrl.startsWith('https://')) {
    process.emitWarning('http:// is insecure, and for local development only', 'NomyoWarning');
  }
  return {
    baseUrl: routerUrl,
    apiKey: given.apiKey ?? '',
    allowHttp,
    timeout,
    maxRetries: given.maxRetries,
    keyDir: keyDir ?? keyRotationDir,
    keyPassword: keyRotationPassword,
    keyRotationInterval: given.keyRotationInterval,
    memory: secureMemory ? 'prefer' : 'off',
    environment: 'network',
    ...(given.debug ? { log: console, logLevel: 'debug' } : {}),
  };
}

/** An answer as an object of the caller's own. */
function taken(answer) {
  try {
    return answer.json();
  } finally {
    answer.close();
  }
}

/** Puts the server's words, which the library's own text does not repeat, where the SDK has them. */
function sayAsTheSdk(error) {
  const detail = error.errorDetails?.detail ?? 'Unknown error';
  const text = TEXTS[error.statusCode] ?? `Unexpected status code: ${error.statusCode}`;
  error.message = `${text}: ${typeof detail === 'string' ? detail : JSON.stringify(detail)}`;
}

module.exports = { SecureChatCompletion, SecureCompletionClient };

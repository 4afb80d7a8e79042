'use strict';

// A name without a meaning is refused wherever it is written: ignored, it would silently weaken a call.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Client, SecureChatCompletion, SecureCompletionClient, verifyAttestation } = require('..');
const { BASE, client, control, saying } = require('./endpoint.js');

process.env.SSL_CERT_FILE = process.env.NOMYO_TEST_CA_FILE;
const { baseUrl } = BASE;
const chat = new SecureChatCompletion({ baseUrl, maxRetries: 0 });
const low = new SecureCompletionClient({ routerUrl: baseUrl, maxRetries: 0 });
const tier = { securityTier: 'high' };

/** Checks that each call is refused with a TypeError of these words, and that nothing is sent. */
async function refused(cases) {
  const { requests } = await control('stats');
  for (const [call, why] of cases) {
    await assert.rejects(async () => call(), (error) => {
      assert.ok(error instanceof TypeError, `${call}: ${error}`);
      assert.match(error.message, why, `${call}`);
      return true;
    }, `${call}`);
  }
  assert.equal((await control('stats')).requests, requests);
}

test('a misspelled option is a TypeError that names it and the one that was meant', () => refused([
  [() => new Client({ ...BASE, baseURL: 'x' }), /unknown in the options of a client: baseURL \(did you mean baseUrl\?\)\. There are: baseUrl/],
  [() => new Client({ ...BASE, server_key_pin: 'x' }), /server_key_pin \(did you mean serverKeyPins\?\)/],
  [() => new Client({ ...BASE, maxRetry: 1, colour: 'red' }), /maxRetry \(did you mean maxRetries\?\), colour\./],
  [() => new Client({ ...BASE, rateLimit: { perSec: 1, burst: 1 } }), /unknown in rateLimit: perSec/],
  [() => new Client({ ...BASE, attestation: { level: 'consistent' } }), /unknown in attestation: level\. There are: require, pcrs/],
  [() => new Client({ ...BASE, attestation: { required: 'baseline' } }), /required \(did you mean require\?\)/],
  [() => client().create(saying('x'), { security_tier: 'high' }), /a call: security_tier \(did you mean securityTier\?\)/],
  [() => client().create(saying('x'), { securityTeir: 'high' }), /securityTeir \(did you mean securityTier\?\)/],
  [() => client().create(saying('x'), { ['x'.repeat(1e6)]: 1 }), /unknown in the options of a call: x{61}\.\.\.\. There are/],
  [() => client().warmUp(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${i}`, i]))), /: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 40 more\. There are/],
  [() => client().seal('pem', saying('x'), { apiKey: 'x' }), /unknown in the options of seal\(\): apiKey\. There are/],
  [() => client().warmUp({ timeOut: 5 }), /unknown in the options of warmUp\(\): timeOut \(did you mean timeout\?\)/],
  [() => client().rotateKeys(tier), /unknown in the options of rotateKeys\(\): securityTier/],
  [() => verifyAttestation({}, 'id', { requires: 'baseline' }), /requires \(did you mean require\?\)/],
  [() => new SecureChatCompletion({ base_url: 'x' }), /unknown in the configuration: base_url \(did you mean baseUrl\?\)/],
  [() => new SecureCompletionClient({ routerURL: 'x' }), /routerURL \(did you mean routerUrl\?\)/],
  [() => low.generateKeys({ passwort: 'correct horse' }), /passwort \(did you mean password\?\)/],
]));

test('the classes of nomyo-js refuse options that they do not have, and say where the tier belongs', () => refused([
  [() => chat.create(saying('x'), tier), /securityTier \(write security_tier into the request\)/],
  [() => chat.create(saying('x'), { security_tier: 'high' }), /security_tier \(write security_tier into the request\)/],
  [() => chat.acreate(saying('x'), { apikey: 'key' }), /apikey \(write api_key into the request\)/],
  [() => chat.create(saying('x'), { nonsense: 1 }), /unknown in the options of create\(\): nonsense\. There are: signal, timeout/],
  [() => low.sendSecureRequest(saying('x'), '', undefined, undefined, tier), /securityTier \(the fourth argument is the tier\)/],
]));

test('an option in a request is refused, since the server would ignore it', () => refused([
  [() => client().create({ ...saying('x'), ...tier }), /securityTier is no member of a request.*security_tier/],
  [() => client().create({ ...saying('x'), security_teir: 'high' }), /security_teir is no member of a request/],
  [() => client().create({ ...saying('x'), 'Security-Tier': 'high' }), /Security-Tier is no member/],
  [() => client().create({ ...saying('x'), apiKey: 'key' }), /apiKey is no member.*api_key/],
  [() => client().create({ ...saying('x'), timeout: 5 }), /timeout is no member.*last argument/],
  [() => client().create({ toJSON: () => ({ ...saying('x'), ...tier }) }), /securityTier is no member/],
  [() => client().seal('pem', { ...saying('x'), ...tier }), /securityTier is no member/],
  [() => chat.create({ ...saying('x'), ...tier }), /securityTier is no member/],
  [() => chat.create({ ...saying('x'), signal: AbortSignal.timeout(5) }), /signal is no member.*last argument/],
  [() => low.encryptPayload({ ...saying('x'), ...tier }), /securityTier is no member/],
  [() => low.sendSecureRequest({ ...saying('x'), ...tier }, ''), /securityTier is no member/],
]));

test('an argument behind the last one is refused', () => refused([
  [() => new Client(BASE, tier), /new Client\(\) has one argument too many, which holds securityTier/],
  [() => client().create(saying('x'), undefined, tier), /create\(\) has one argument too many, which holds securityTier/],
  [() => client().warmUp({}, { timeout: 5 }), /warmUp\(\) has one argument too many, which holds timeout/],
  [() => client().saveKeys('keys', undefined, {}, 5), /saveKeys\(\) has one argument too many: /],
  [() => client().seal('pem', saying('x'), {}, tier), /seal\(\)/],
  [() => client().open({}, Buffer.from(''), { timeout: 5 }), /open\(\).*timeout/],
  [() => new SecureChatCompletion({ baseUrl }, { timeout: 5 }), /new SecureChatCompletion\(\).*timeout/],
  [() => new SecureCompletionClient({}, { timeout: 5 }), /new SecureCompletionClient\(\).*timeout/],
  [() => chat.create(saying('x'), undefined, tier), /create\(\).*securityTier/],
  [() => chat.acreate(saying('x'), undefined, tier), /create\(\).*securityTier/],
  [() => low.sendSecureRequest(saying('x'), '', undefined, undefined, {}, tier), /sendSecureRequest\(\).*securityTier/],
  [() => client().warmUp({}, Buffer.alloc(1e6)), /^warmUp\(\) has one argument too many: /],
  [() => client().warmUp({}, 'text'), /^warmUp\(\) has one argument too many: /],
  [() => verifyAttestation({}, 'id', {}, { require: 'baseline' }), /verifyAttestation\(\).*require/],
  [() => low.generateKeys({}, { timeout: 5 }), /generateKeys\(\).*timeout/],
  [() => low.loadKeys('a', 'b', 'password', { timeout: 5 }), /loadKeys\(\).*timeout/],
  [() => low.fetchServerPublicKey({ timeout: 5 }), /fetchServerPublicKey\(\).*timeout/],
  [() => low.encryptPayload(saying('x'), tier), /encryptPayload\(\).*securityTier/],
  [() => low.decryptResponse(new ArrayBuffer(2), 'id', { timeout: 5 }), /decryptResponse\(\).*timeout/],
]));

test('every method that returns a promise refuses an argument behind its last one', async () => {
  const last = { nonsense: 1 };
  const calls = {
    create: [saying('x'), {}],
    warmUp: [{}],
    serverKey: [{}],
    tlsChain: [{}],
    publicKey: [{}],
    generateKeys: ['nowhere', undefined, {}],
    loadKeys: ['nowhere', undefined, undefined, {}],
    loadKeysPem: ['pem', undefined, undefined, {}],
    privateKeyPem: [undefined, {}],
    saveKeys: ['nowhere', undefined, {}],
    rotateKeys: [{}],
    seal: ['pem', saying('x'), {}],
    open: [{}, Buffer.from('')],
  };
  const { [Symbol.toStringTag]: kind } = Object.getPrototypeOf(async () => {});
  const names = Object.getOwnPropertyNames(Client.prototype);
  const promising = names.filter((name) => Client.prototype[name][Symbol.toStringTag] === kind);
  assert.deepEqual(Object.keys(calls).sort(), promising.sort());
  const why = /one argument too many, which holds nonsense/;
  await refused(Object.entries(calls).map(([name, given]) => [() => client()[name](...given, last), why]));
});

test('a name in its place has its effect, and parameters of a model are left alone', async () => {
  const parameters = { seed: 1, timeouts: 2, metadata: { securityTier: 'x' }, service_tier: 'auto', apiKey: undefined };
  const request = { ...saying('x'), ...parameters };
  for (const answer of [await client().create({ ...request, security_tier: 'high' }), await client().create(request, tier, undefined)]) {
    assert.equal(answer.pointer('/_metadata/security_tier'), 'high');
  }
  const answer = await chat.create({ ...request, security_tier: 'high' }, { timeout: 20_000 });
  assert.equal(answer._metadata.security_tier, 'high');
  const sent = await low.sendSecureRequest(request, '', undefined, 'high', { timeout: 20_000 });
  assert.equal(sent._metadata.security_tier, 'high');
});

test('names that a prototype has neither count nor are refused', async () => {
  const names = ['securityTier', 'secretyTier', 'exact', 'nonsense'];
  for (const name of names) Object.defineProperty(Object.prototype, name, { value: 'high', configurable: true, writable: true });
  let calls;
  let misspelled;
  try {
    calls = [client().create(saying('x'), {}), client().create({ __proto__: tier, ...saying('x') })];
    misspelled = chat.create(saying('x'), { nonsens: 1 }).catch((error) => error);
  } finally {
    for (const name of names) delete Object.prototype[name];
  }
  assert.match((await misspelled).message, /unknown in the options of create\(\): nonsens\./, 'nonsense is not meant');
  for (const answer of await Promise.all(calls)) assert.notEqual(answer.pointer('/_metadata/security_tier'), 'high');
});

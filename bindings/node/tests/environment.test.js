'use strict';

// The environment is read only if the options of a client ask for it.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { APIConnectionError, ArgumentError, Client, PinError, SecureChatCompletion } = require('..');
const { BASE, client, saying } = require('./endpoint.js');

const { baseUrl, caFile } = BASE;
const FINGERPRINT = process.env.NOMYO_TEST_KEY_FINGERPRINT;
const NOBODY = 'http://127.0.0.1:1';
const OTHER = '0'.repeat(64);
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];

// This machine's own variables have no part in the tests.
for (const name of [...PROXIES, 'HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy', 'SSL_CERT_FILE', 'SSL_CERT_DIR']) {
  delete process.env[name];
}

/** Runs `body` with these variables. */
async function having(variables, body) {
  Object.assign(process.env, variables);
  try {
    return await body();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
}

const reaches = async (options) => assert.equal((await new Client(options).serverKey()).fingerprint, FINGERPRINT);
const misses = (options, error = APIConnectionError) => assert.rejects(async () => new Client(options).serverKey(), error);

test('a proxy of the environment has an effect only if the environment is asked for', async () => {
  for (const name of PROXIES) {
    await having({ [name]: NOBODY }, async () => {
      await reaches({ baseUrl, caFile, environment: false });
      await misses({ baseUrl, caFile, maxRetries: 0 });
      await misses({ baseUrl, caFile, maxRetries: 0, environment: 'network' });
      await reaches({ baseUrl, caFile, proxy: '' });
    });
  }
  await having({ HTTPS_PROXY: NOBODY, NO_PROXY: '127.0.0.1' }, () => reaches({ baseUrl, caFile }));
});

test('a proxy that cannot be used is refused only if the environment is asked for, and its password is not shown', async () => {
  await having({ HTTPS_PROXY: 'ftp://me:hunter2@127.0.0.1' }, async () => {
    assert.throws(() => new Client({ baseUrl, caFile }), (error) => {
      assert.ok(error instanceof ArgumentError);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
    await reaches({ baseUrl, caFile, environment: false });
    await reaches({ baseUrl, caFile, proxy: '' });
  });
});

test('the certificates of the environment are trusted only if the environment is asked for', async () => {
  await having({ SSL_CERT_FILE: caFile }, async () => {
    await reaches({ baseUrl });
    await reaches({ baseUrl, environment: 'network' });
    await misses({ baseUrl, environment: false, maxRetries: 0 });
  });
  await having({ SSL_CERT_FILE: '/nowhere', SSL_CERT_DIR: '/nowhere' }, () => reaches({ baseUrl, caFile }));
});

test('NOMYO_ variables stand for the options that are left out', async () => {
  await having({ NOMYO_BASE_URL: baseUrl, NOMYO_SERVER_KEY_PIN: ` ${OTHER},${'1'.repeat(64)}` }, async () => {
    await misses({ caFile }, PinError);
    await misses({ caFile, serverKeyPins: OTHER }, PinError);
    await reaches({ caFile, serverKeyPins: FINGERPRINT });
    await misses({ caFile, environment: 'network', baseUrl: 'https://127.0.0.1:1', maxRetries: 0 });
    await reaches({ caFile, environment: 'network', baseUrl });
    await reaches({ caFile, environment: false, baseUrl });
  });
  const [{ sha256 }] = await client().tlsChain();
  await having({ NOMYO_TLS_PIN: ` sha256/${Buffer.alloc(32).toString('base64')},${OTHER}` }, async () => {
    await misses({ baseUrl, caFile, maxRetries: 0 }, PinError);
    await reaches({ baseUrl, caFile, tlsPins: sha256 });
    await reaches({ baseUrl, caFile, environment: false });
  });
  await having({ NOMYO_KEY_GROUP_READ: 'maybe' }, async () => {
    assert.throws(() => new Client({ baseUrl, caFile }), /NOMYO_KEY_GROUP_READ/);
    await reaches({ baseUrl, caFile, keyGroupRead: true });
    await reaches({ baseUrl, caFile, environment: 'network' });
  });
  await having({ NOMYO_BASE_URL: 'ftp://nowhere' }, async () => {
    assert.throws(() => new Client(), ArgumentError);
    new Client({ environment: false }).close();
    new Client({ environment: 'network' }).close();
  });
  assert.throws(() => new Client({ environment: 'all' }), /environment must be one of: true, network, false/);
});

test("a worker's own environment is the one that is read", async () => {
  const program = `
    const { Client } = require(${JSON.stringify(path.join(__dirname, '..'))});
    const { parentPort } = require('node:worker_threads');
    const client = new Client({ caFile: ${JSON.stringify(caFile)}, maxRetries: 0 });
    client.serverKey().then((key) => key.fingerprint, (error) => error.status).then((said) => parentPort.postMessage(said));
  `;
  const said = async (env) => (await once(new Worker(program, { eval: true, env }), 'message'))[0];
  await having({ HTTPS_PROXY: NOBODY }, async () => {
    assert.equal(await said({ NOMYO_BASE_URL: baseUrl }), FINGERPRINT);
    assert.equal(await said({ NOMYO_BASE_URL: baseUrl, HTTPS_PROXY: NOBODY }), 'NOMYO_ERR_CONNECTION');
  });
});

test('the classes of nomyo-js read what the platform says about the network, and no NOMYO_ variable', async () => {
  const variables = { SSL_CERT_FILE: caFile, NOMYO_SERVER_KEY_PIN: OTHER, NOMYO_BASE_URL: NOBODY, NOMYO_TLS_PIN: OTHER };
  await having(variables, async () => {
    const chat = new SecureChatCompletion({ baseUrl });
    assert.equal((await chat.create(saying('x'))).choices[0].message.content, 'x');
    process.env.HTTPS_PROXY = NOBODY;
    const proxied = new SecureChatCompletion({ baseUrl, maxRetries: 0 });
    delete process.env.HTTPS_PROXY;
    await assert.rejects(proxied.create(saying('x')), APIConnectionError);
  });
});

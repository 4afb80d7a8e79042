'use strict';

// Certificates: which authorities are trusted, and the client's own.

const { after, test } = require('node:test');
const assert = require('node:assert');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { Client } = require('..');

const { NOMYO_TEST_BASE_URL: baseUrl, NOMYO_TEST_CA_FILE: caFile } = process.env;
// A store that the environment names would answer in the variable's place.
delete process.env.SSL_CERT_FILE;
delete process.env.SSL_CERT_DIR;
const chat = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-trust-'));
after(() => fs.rmSync(work, { recursive: true }));

/** The content of an answer, or the message of the error. */
async function outcome(options) {
  const client = new Client({ baseUrl, maxRetries: 0, proxy: '', ...options });
  try {
    return (await client.create(chat)).content();
  } catch (error) {
    return error.message;
  } finally {
    client.close();
  }
}

function withVariable(value, body) {
  process.env.NODE_EXTRA_CA_CERTS = value;
  try {
    return body();
  } finally {
    delete process.env.NODE_EXTRA_CA_CERTS;
  }
}

test('NODE_EXTRA_CA_CERTS is trusted beside the store, and not without the environment', async () => {
  assert.strictEqual(await withVariable(caFile, () => outcome({})), 'Hello');
  assert.match(await withVariable(caFile, () => outcome({ environment: false })), /signed by no authority/);
  assert.match(await outcome({}), /signed by no authority/);
  for (const file of ['/nonexistent', '/dev/null']) {
    assert.throws(() => withVariable(file, () => new Client({ baseUrl })), /NODE_EXTRA_CA_CERTS/);
  }
});

test('authorities of caPem are trusted, as text and as bytes', async () => {
  const pem = fs.readFileSync(caFile);
  assert.strictEqual(await outcome({ caPem: pem }), 'Hello');
  assert.strictEqual(await outcome({ caPem: [pem.toString()] }), 'Hello');
  assert.throws(() => new Client({ caPem: 'none' }), { status: 'NOMYO_ERR_ARGUMENT' });
});

test('without a trust store of the system, the authorities that Node contains serve', (t) => {
  const program = `
    const { Client } = require('..');
    const client = new Client({ baseUrl: ${JSON.stringify(baseUrl)}, maxRetries: 0, proxy: '', environment: 'network' });
    client.create({ messages: [] }).catch((error) => console.log(error.message));`;
  const hide = 'for d in /etc/ssl /etc/pki /opt/etc; do [ -d $d ] && mount -t tmpfs none $d; done; exec "$@"';
  const namespace = ['-rm', 'sh', '-c', hide, 'sh', process.execPath, '-e', program];
  const { stdout, stderr } = spawnSync('unshare', namespace, { cwd: __dirname, encoding: 'utf8' });
  if (/unshare failed|Operation not permitted/.test(stderr)) return t.skip('this system allows no mount namespaces');
  assert.match(stdout, /signed by no authority in the trust store and the CAs that were added to it/, stderr);
});

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'ignore'] });

/** A certificate that `signer` signed, or an authority. */
function certificate(name, signer = undefined) {
  const [cert, key] = [path.join(work, `${name}.pem`), path.join(work, `${name}_private.pem`)];
  const signed = signer ? ['-CA', signer.cert, '-CAkey', signer.key] : [];
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-days', '2',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', `basicConstraints=critical,CA:${signer ? 'FALSE' : 'TRUE'}`,
    ...signed, '-keyout', key, '-out', cert);
  fs.chmodSync(key, 0o600);
  return { cert, key, certText: fs.readFileSync(cert), keyText: fs.readFileSync(key) };
}

test('a server that asks for a client certificate gets it, from memory and from files', async () => {
  const authority = certificate('authority');
  const [served, own] = [certificate('server', authority), certificate('patient-portal', authority)];
  const tls = { cert: served.certText, key: served.keyText, ca: authority.certText, requestCert: true, rejectUnauthorized: true };
  const seen = [];
  const server = https.createServer(tls, (request, response) => {
    seen.push(request.socket.getPeerCertificate().subject.CN);
    response.writeHead(401, { 'X-Reason': 'a test' }).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ask = (clientCertificate) =>
    new Client({ baseUrl: `https://127.0.0.1:${server.address().port}`, caFile: authority.cert, maxRetries: 0, proxy: '', clientCertificate })
      .create(chat)
      .then(assert.fail, (error) => error);
  try {
    for (const own_ of [{ certificate: own.certText, key: own.keyText }, { certificateFile: own.cert, keyFile: own.key }]) {
      const error = await ask(own_);
      assert.strictEqual(error.statusCode, 401);
      assert.strictEqual(error.headers['x-reason'], 'a test');
      assert.ok(!Object.keys(error).includes('headers'));
    }
    assert.deepStrictEqual(seen, ['patient-portal', 'patient-portal']);
    assert.match((await ask(undefined)).message, /client certificate/);
  } finally {
    server.close();
    server.closeAllConnections();
  }
  for (const wrong of [{ certificate: own.certText }, { certificate: own.certText, keyFile: own.key }, {}]) {
    assert.throws(() => new Client({ clientCertificate: wrong }), /needs either certificate and key/);
  }
  assert.throws(() => new Client({ clientCertificate: { certificate: served.certText, key: own.keyText } }), /not that of its first/);
});

test("a key file that root's group may read is accepted if the environment or the option says so", (t) => {
  if (process.getuid() !== 0) return t.skip('only root can make a file of root and of a group');
  const own = certificate('mounted', certificate('authority of the mounted'));
  fs.chownSync(own.key, 0, 1);
  fs.chmodSync(own.key, 0o440);
  const made = (options) => new Client({ clientCertificate: { certificateFile: own.cert, keyFile: own.key }, ...options }).close();
  assert.throws(() => made({}), { status: 'NOMYO_ERR_KEY' });
  made({ keyGroupRead: true });
  process.env.NOMYO_KEY_GROUP_READ = '1';
  try {
    made({});
    assert.throws(() => made({ keyGroupRead: false }), { status: 'NOMYO_ERR_KEY' });
  } finally {
    delete process.env.NOMYO_KEY_GROUP_READ;
  }
});

test('an answer has its headers', async () => {
  const client = new Client({ baseUrl, caFile, headers: { 'X-Request-ID': 'r-9' } });
  const answer = await client.create(chat);
  assert.strictEqual(answer.headers['x-request-id'], 'r-9');
  assert.strictEqual(answer.headers['content-type'], 'application/json');
  assert.ok(Object.isFrozen(answer.headers));
  answer.close();
  client.close();
});

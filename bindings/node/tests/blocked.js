'use strict';

// The methods of a client that can block, and things that block them.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { saying } = require('./endpoint.js');

const PASSWORD = 'correct horse';

/** Each method by its name: a call on `client` with `limits`; generateKeys() saves in `keyDir`, if that is given. */
function methods({ scratch, encrypted, serverPem }) {
  let files = 0;
  const plain = ['warmUp', 'serverKey', 'tlsChain', 'publicKey', 'rotateKeys'].map((name) => [
    name,
    (client, limits) => client[name](limits),
  ]);
  return {
    ...Object.fromEntries(plain),
    create: (client, limits) => client.create(saying('x'), limits),
    generateKeys: (client, limits, keyDir) => client.generateKeys(keyDir, undefined, limits),
    saveKeys: (client, limits) => client.saveKeys(path.join(scratch, `saved-${(files += 1)}`), undefined, limits),
    loadKeysPem: (client, limits) => client.loadKeysPem(fs.readFileSync(encrypted), undefined, PASSWORD, limits),
    privateKeyPem: (client, limits) => client.privateKeyPem(undefined, limits),
    loadKeys: (client, limits) => client.loadKeys(encrypted, undefined, PASSWORD, limits),
    seal: (client, limits) => client.seal(serverPem, saying('x'), limits),
  };
}

const NEED_KEYS = ['warmUp', 'create', 'publicKey', 'privateKeyPem', 'rotateKeys', 'generateKeys', 'saveKeys', 'seal'];
const NEED_SERVER = ['warmUp', 'create', 'serverKey', 'tlsChain'];

/** The URL of a server that accepts connections and never says anything. */
async function silentServer(t) {
  const sockets = new Set();
  const server = net.createServer((socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  return `https://127.0.0.1:${server.address().port}`;
}

/** A key directory that another process has locked. */
async function lockedDirectory(t, scratch) {
  const keyDir = fs.mkdtempSync(path.join(scratch, 'locked-'));
  const lock = path.join(keyDir, '.nomyo.lock');
  const holder = spawn('flock', ['--no-fork', lock, 'sh', '-c', 'echo locked; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => holder.kill());
  await once(holder.stdout, 'data');
  return keyDir;
}

module.exports = { NEED_KEYS, NEED_SERVER, PASSWORD, lockedDirectory, methods, silentServer };

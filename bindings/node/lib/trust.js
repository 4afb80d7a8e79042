'use strict';

// Certificates: the authorities that are trusted beside the store, and the client's own.

const fs = require('node:fs');
const a = require('./arguments.js');
const native = require('./native.js');
const { ArgumentError } = require('./errors.js').classes;

/** PEM texts of certificates: one, or several. */
function pemTexts(value, name) {
  return (Array.isArray(value) ? value : [value]).map((text) => pemText(text, name));
}

/** Certificates are public: a text of JavaScript's may hold them. */
function pemText(value, name) {
  return typeof value === 'string' ? value : Buffer.from(a.bytes(value, name)).toString('latin1');
}

const PEM = { certificate: pemText, key: a.secret };
const FILES = { certificateFile: a.path, keyFile: a.path };

/** The client's certificate and its key: two PEM texts, or two files. */
function clientCertificate(value, name) {
  const read = a.options(value, { ...PEM, ...FILES }, name);
  const given = Object.keys(read).sort().join();
  if (given !== 'certificate,key' && given !== 'certificateFile,keyFile') {
    throw new ArgumentError(`${name} needs either certificate and key, or certificateFile and keyFile`);
  }
  return read;
}

/**
 * The authorities that are trusted beside the store: those of the option, those of NODE_EXTRA_CA_CERTS, and, if the system has no
 * store, the ones that Node contains. `variables` are the environment's.
 */
function moreCas({ caPem = [], caFile, environment = true }, variables) {
  const cas = [...caPem];
  if (caFile !== undefined) return cas;
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  if (environment !== false && extra) {
    let text;
    try {
      text = fs.readFileSync(extra, 'latin1');
    } catch {
      throw new ArgumentError('the file that NODE_EXTRA_CA_CERTS names cannot be read; correct or unset the variable');
    }
    if (!text.includes('-----BEGIN ')) {
      throw new ArgumentError('the file that NODE_EXTRA_CA_CERTS names holds no certificate in PEM; correct or unset the variable');
    }
    cas.push(text);
  }
  const hasStore = variables.some(({ name }) => name.startsWith('SSL_CERT_')) || native.hasSystemTrustStore();
  // Loaded here only: the module takes longer to load than this whole package.
  return hasStore ? cas : [...cas, require('node:tls').rootCertificates.join('\n')];
}

module.exports = { clientCertificate, moreCas, pemTexts };

'use strict';

// fetch() of the tests over node:http, loaded before a test by --require. Node's own fetch() cannot connect under Wine 8: libuv
// reports an unknown error. The library does not use either.

const http = require('node:http');

globalThis.fetch = (url, { method = 'GET', body } = {}) =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent: false }, (response) => {
      const parts = [];
      response.on('error', reject);
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({
          status: response.statusCode,
          ok: response.statusCode >= 200 && response.statusCode < 300,
          arrayBuffer: async () => bytes,
          text: async () => bytes.toString(),
          json: async () => JSON.parse(bytes.toString()),
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });

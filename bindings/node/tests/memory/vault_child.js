'use strict';

// A process with marked memory, which vault.test.js looks into from outside. It does what it is told, and answers when it
// is done.

const memory = require('../../lib/memory.js');
const { collect, mark } = require('./process.js');

const held = {};

const steps = {
  alloc: ({ name, size, seed }) => mark((held[name] = memory.secureAlloc(size)), seed),
  ordinary: ({ name, size, seed }) => mark((held[name] = Buffer.alloc(size)), seed),
  lock: ({ name }) => memory.lock(held[name]),
  zero: ({ name }) => memory.zero(held[name]),
  close: ({ name }) => held[name].close(),
  forget: async ({ name }) => {
    delete held[name];
    await collect();
  },
};

process.on('message', async (step) => {
  await steps[step.do](step);
  process.send('done');
});

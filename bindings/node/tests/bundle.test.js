'use strict';

// The package in programs that esbuild and webpack have bundled.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { promisify } = require('node:util');
const webpack = require('webpack');
const { version } = require('..');
const { BASE, saying } = require('./endpoint.js');

const PACKAGE = path.join(__dirname, '..');
const ESBUILD = path.join(__dirname, 'node_modules', '.bin', 'esbuild');
const README = fs.readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');

/** A folder that has the package installed, and this program as program.mjs. */
function folderWith(t, program) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-bundle-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(PACKAGE, path.join(folder, 'node_modules', 'nomyo-native'));
  fs.writeFileSync(path.join(folder, 'program.mjs'), program);
  return folder;
}

const run = (folder, file) => spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });

/** Bundles a program that prints the version, with these flags, runs the bundle, and returns what it did. */
function ranBundled(t, ...flags) {
  const folder = folderWith(t, "import { version } from 'nomyo-native'; console.log(version);");
  const bundled = spawnSync(ESBUILD, ['program.mjs', '--bundle', ...flags], { cwd: folder, encoding: 'utf8' });
  assert.equal(bundled.status, 0, `${bundled.error} ${bundled.stderr}`);
  const file = path.join(folder, flags.includes('--format=esm') ? 'bundle.mjs' : 'bundle.cjs');
  fs.writeFileSync(file, bundled.stdout);
  return run(folder, file);
}

test('a bundle with the flags of the README runs, in both module formats', (t) => {
  const [, flags] = /^\| esbuild \| `(.*)` \|$/m.exec(README);
  for (const format of ['--format=cjs', '--format=esm']) {
    const { stdout, stderr } = ranBundled(t, ...flags.split(' '), format);
    assert.equal(stdout.trim(), version, stderr);
  }
});

test('a bundle that holds the package says what to do', (t) => {
  const { status, stderr } = ranBundled(t, '--platform=node', '--format=cjs');
  assert.notEqual(status, 0);
  assert.match(stderr, /nomyo-native was bundled.*declare nomyo-native external/);
});

/** Bundles a program that asks the endpoint, with these settings, runs the bundle, and returns what it did. */
async function ranByWebpack(t, settings) {
  const folder = folderWith(t, `
    import { Client } from 'nomyo-native';
    const answer = await new Client(${JSON.stringify(BASE)}).create(${JSON.stringify(saying('out of a bundle'))});
    console.log(answer.content());
    answer.close();
  `);
  const output = { path: folder, filename: 'bundle.cjs' };
  const built = await promisify(webpack)({ mode: 'production', context: folder, entry: './program.mjs', output, ...settings });
  assert.ok(!built.hasErrors(), built.toString());
  return { ...run(folder, 'bundle.cjs'), bundle: fs.readFileSync(path.join(folder, 'bundle.cjs'), 'utf8') };
}

test('a bundle of webpack with the setting of the README chats', async (t) => {
  const [, target, externals] = /^\| webpack \| `(.*)`, `(.*)` \|$/m.exec(README);
  const ran = await ranByWebpack(t, eval(`({ ${target}, ${externals} })`));
  assert.equal(ran.stdout, 'out of a bundle\n', ran.stderr);
  assert.match(ran.bundle, /require\("nomyo-native"\)/, 'the bundle is what ran');
});

test('a bundle of webpack that holds the package says what to do', async (t) => {
  const { status, stderr } = await ranByWebpack(t, { target: 'node' });
  assert.notEqual(status, 0);
  assert.match(stderr, /nomyo-native was bundled.*declare nomyo-native external/);
});

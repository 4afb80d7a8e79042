'use strict';

// Installed as a user would: into an empty folder outside the checkout, from the checkout and from the packed archive.
//
// The addon is the dev profile's, which shares what the other tests have built; how it is packed is the same.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { addonPath, libc, names } = require('../lib/addon_path.js');
const { prebuild } = require('../prebuild.js');

const PACKAGE = path.join(__dirname, '..');
const PROGRAM = `
  import { SecureChatCompletion, version } from 'nomyo-native';
  import { createRequire } from 'node:module';
  if (createRequire(import.meta.url)('nomyo-native').version !== version) throw new Error('two packages');
  const client = new SecureChatCompletion({ baseUrl: process.env.NOMYO_TEST_BASE_URL });
  const answer = await client.create({ model: 'echo', messages: [{ role: 'user', content: 'installed' }] });
  console.log(answer.choices[0].message.content, version);
`;

function empty(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-install-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

function environment(more = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_') && name !== 'NODE_TEST_CONTEXT');
  return { ...Object.fromEntries(clean), npm_config_audit: 'false', npm_config_fund: 'false', ...more };
}

/** A PATH with nothing but what npm needs: no cargo, no compiler. */
function bare(folder) {
  const bin = path.join(folder, 'bin');
  fs.mkdirSync(bin);
  for (const tool of ['node', 'npm', 'sh', 'env']) {
    const found = tool === 'node' ? process.execPath : execFileSync('sh', ['-c', `command -v ${tool}`]).toString().trim();
    fs.symlinkSync(fs.realpathSync(found), path.join(bin, tool));
  }
  return environment({ PATH: bin });
}

function install(folder, what, env) {
  fs.writeFileSync(path.join(folder, 'package.json'), '{}');
  return spawnSync('npm', ['install', what], { cwd: folder, env, encoding: 'utf8' });
}

function says(folder) {
  const env = environment({ SSL_CERT_FILE: process.env.NOMYO_TEST_CA_FILE });
  fs.writeFileSync(path.join(folder, 'program.mjs'), PROGRAM);
  assert.match(execFileSync(process.execPath, ['program.mjs'], { cwd: folder, env }).toString(), /^installed \d+\.\d+\.\d+\n$/);
}

function pack(from, to) {
  const printed = execFileSync('npm', ['pack', '--json', from], { cwd: to, env: environment(), stdio: ['ignore', 'pipe', 'ignore'] });
  const [{ filename, files }] = JSON.parse(printed);
  return { archive: path.join(to, filename), files: files.map((file) => file.path).sort() };
}

test('from the checkout, which builds the addon', (t) => {
  const folder = empty(t);
  const done = install(folder, PACKAGE, environment({ NOMYO_BUILD_PROFILE: 'dev' }));
  assert.equal(done.status, 0, done.stdout + done.stderr);
  says(folder);
});

test('from the packed archive, without a compiler', (t) => {
  const folder = empty(t);
  const { archive, files } = pack(PACKAGE, folder);
  const addon = files.filter((file) => file.endsWith('.node'));
  assert.equal(addon.length, 1, `${files}`);
  assert.match(addon[0], /^prebuilds\/\w+-\w+\/nomyo-native\.(glibc|musl|napi)\.node$/);
  for (const needed of ['index.js', 'index.d.ts', 'certificate.d.ts', 'chat.d.ts', 'errors.d.ts', 'install.js', 'prebuild.js', 'lib/native.js', 'README.md', 'LICENSE']) assert.ok(files.includes(needed));
  assert.ok(!files.some((file) => file.startsWith('tests') || file.startsWith('src')), `${files}`);
  const done = install(folder, archive, bare(folder));
  assert.equal(done.status, 0, done.stdout + done.stderr);
  assert.ok(!fs.lstatSync(path.join(folder, 'node_modules/nomyo-native')).isSymbolicLink());
  says(folder);
});

test('the licence of the package is that of the repository', () => {
  const licence = (folder) => fs.readFileSync(path.join(folder, 'LICENSE'), 'utf8');
  assert.equal(licence(PACKAGE), licence(path.join(PACKAGE, '..', '..')));
  assert.equal(require('../package.json').license, 'Apache-2.0');
  assert.match(licence(PACKAGE), /Apache License\s+Version 2\.0/);
});

test('an archive without an addon for this machine says what to do', (t) => {
  const folder = empty(t);
  const copy = path.join(folder, 'copy');
  fs.cpSync(PACKAGE, copy, { recursive: true, filter: (file) => !/node_modules|prebuilds|tests$/.test(file) });
  const done = install(folder, pack(copy, folder).archive, bare(folder));
  assert.notEqual(done.status, 0);
  assert.match(done.stderr, /has no addon for this machine.*install it from a checkout/);
});

test('the name of an addon comes from its target, and is the one that Node there looks for', () => {
  const at = (triple) => prebuild(triple).addon;
  assert.equal(at('x86_64-unknown-linux-gnu'), 'prebuilds/linux-x64/nomyo-native.glibc.node');
  assert.equal(at('x86_64-unknown-linux-musl'), 'prebuilds/linux-x64/nomyo-native.musl.node');
  assert.equal(at('aarch64-unknown-linux-gnu'), 'prebuilds/linux-arm64/nomyo-native.glibc.node');
  assert.equal(at('aarch64-apple-darwin'), 'prebuilds/darwin-arm64/nomyo-native.napi.node');
  assert.equal(at('x86_64-pc-windows-msvc'), 'prebuilds/win32-x64/nomyo-native.napi.node');
  for (const triple of ['', 'x86_64', 'mips-unknown-linux-gnu', 'x86_64-unknown-linux-gnux32', 'constructor-x-linux-gnu', 'x86_64-x-constructor']) {
    assert.throws(() => prebuild(triple), /no addon has a name for the target/, triple);
  }
  const host = execFileSync('rustc', ['-vV']).toString().match(/^host: (.*)$/m)[1];
  assert.equal(path.join(PACKAGE, at(host)), addonPath());
});

test('a published package takes the addon from the package of this platform and of its own version, and from no other', (t) => {
  const folder = empty(t);
  const { package: other } = names(process.platform, process.arch, libc());
  const write = (name, manifest) => {
    const place = path.join(folder, 'node_modules', name);
    fs.mkdirSync(path.join(place, 'lib'), { recursive: true });
    fs.writeFileSync(path.join(place, 'package.json'), JSON.stringify(manifest));
    return place;
  };
  const published = write('nomyo-native', {});
  fs.copyFileSync(path.join(PACKAGE, 'lib', 'addon_path.js'), path.join(published, 'lib', 'addon_path.js'));
  const place = write(other, {});
  const asked = (ours, theirs) => {
    write('nomyo-native', ours);
    if (theirs) write(other, theirs);
    const program = `console.log(require(${JSON.stringify(path.join(published, 'lib', 'addon_path.js'))}).addonPath())`;
    return path.dirname(execFileSync(process.execPath, ['-e', program]).toString().trim());
  };
  const inside = path.join(published, 'prebuilds', `${process.platform}-${process.arch}`);
  const ours = { version: '1.2.3', optionalDependencies: { [other]: '1.2.3' } };
  assert.equal(asked(ours, { version: '1.2.3' }), place);
  assert.equal(asked(ours, { version: '1.2.4' }), inside);
  assert.equal(asked({ version: '1.2.3' }, { version: '1.2.3' }), inside);
  fs.rmSync(place, { recursive: true });
  assert.equal(asked(ours), inside);
});

/** An ELF program of one segment, PT_INTERP, which names `loader` at `offset`. */
function program(folder, loader, offset) {
  const bytes = Buffer.alloc(offset + loader.length + 1);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeBigUInt64LE(64n, 32); // e_phoff
  bytes.writeUInt16LE(56, 54); // e_phentsize
  bytes.writeUInt16LE(1, 56); // e_phnum
  bytes.writeUInt32LE(3, 64); // p_type
  bytes.writeBigUInt64LE(BigInt(offset), 72); // p_offset
  bytes.writeBigUInt64LE(BigInt(loader.length + 1), 96); // p_filesz
  bytes.write(loader, offset);
  const file = path.join(folder, `program-${path.basename(loader)}-${offset}`);
  fs.writeFileSync(file, bytes);
  return file;
}

test('the C library is that of the loader, wherever the program names it', { skip: process.platform !== 'linux' }, (t) => {
  const folder = empty(t);
  for (const offset of [120, 4090, 5000, 1 << 20]) {
    assert.equal(libc(program(folder, '/lib/ld-musl-x86_64.so.1', offset)), 'musl', `${offset}`);
    assert.equal(libc(program(folder, '/lib64/ld-linux-x86-64.so.2', offset)), 'glibc', `${offset}`);
  }
  const text = path.join(folder, 'text');
  fs.writeFileSync(text, '#!/bin/sh\n# /lib/ld-musl-x86_64.so.1\n');
  for (const none of [text, folder, path.join(folder, 'absent')]) assert.equal(libc(none), 'glibc', none);
});

test('for a target that is not known nothing is built', () => {
  const done = spawnSync(process.execPath, [path.join(PACKAGE, 'install.js')], {
    env: environment({ NOMYO_BUILD_TARGET: 'mips-unknown-linux-gnu', PATH: '' }),
    encoding: 'utf8',
  });
  assert.equal(done.status, 1);
  assert.match(done.stderr, /no addon has a name for the target mips-unknown-linux-gnu/);
});

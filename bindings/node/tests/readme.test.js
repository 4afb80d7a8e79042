'use strict';

// The programs of the pages, run one after the other as one: each line that prints says behind an arrow what.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const PACKAGE = path.join(__dirname, '..');
const MODULES = path.join(__dirname, 'node_modules');
const TSC = path.join(MODULES, 'typescript', 'bin', 'tsc');
const TYPES = path.join(MODULES, '@types');

/** A folder that has the package installed, and Express, for which a page has a handler, with their types. */
function folderWithPackage(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-readme-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(PACKAGE, path.join(folder, 'node_modules', 'nomyo-native'));
  for (const name of ['express', '@types', 'undici-types']) {
    fs.symlinkSync(path.join(MODULES, name), path.join(folder, 'node_modules', name));
  }
  return folder;
}

/** The code blocks of a page in `languages`, one after the other as one program. */
function programOf(page, languages) {
  const text = fs.readFileSync(path.join(PACKAGE, page), 'utf8');
  const blocks = text.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...blocks].filter(([, language]) => languages.includes(language)).map(([, , block]) => block).join('\n');
}

/** A port that nothing listens on. */
async function freePort() {
  const server = net.createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

test('every block of the pages is run or compiled here, or is tested elsewhere', () => {
  const fences = (page) => [...fs.readFileSync(path.join(PACKAGE, page), 'utf8').matchAll(/^```(.+)$/gm)].map(([, fence]) => fence);
  // install.test.js runs the block for the shell, and memory/nomyo_js.test.js runs the patch.
  assert.deepEqual(new Set(fences('README.md')), new Set(['sh', 'js', 'ts']));
  assert.deepEqual(new Set(fences('MEMORY.md')), new Set(['js', 'js patch']));
});

for (const name of ['README.md', 'MEMORY.md']) {
  test(`what ${name} shows is what happens`, async (t) => {
    const folder = folderWithPackage(t);
    const program = programOf(name, ['js']);
    const expected = [...program.matchAll(/\/\/ -> (.*)$/gm)].map(([, line]) => line);
    assert.ok(expected.length > 0);
    const printing = program.split('\n').filter((line) => line.includes('console.log('));
    assert.equal(printing.filter((line) => !line.includes('// -> ')).length, 0, 'a line prints, and does not say what');
    fs.writeFileSync(path.join(folder, 'program.mjs'), program);
    const { NOMYO_TEST_BASE_URL: url, NOMYO_TEST_CA_FILE: ca } = process.env;
    const env = { ...process.env, NOMYO_BASE_URL: url, NOMYO_API_KEY: 'test', SSL_CERT_FILE: ca, PORT: await freePort() };
    const ran = spawnSync(process.execPath, ['program.mjs'], { cwd: folder, env, encoding: 'utf8' });
    assert.deepEqual(ran.stdout.trimEnd().split('\n'), expected, ran.stderr);
    assert.equal(ran.status, 0);
  });

  test(`the programs of ${name} compile as strict TypeScript`, (t) => {
    const folder = folderWithPackage(t);
    fs.writeFileSync(path.join(folder, 'program.mts'), programOf(name, ['js', 'ts']));
    // The compiler looks for Node's types beside the package: through the link, not where the link leads to.
    const strict = { strict: true, exactOptionalPropertyTypes: true, noUnusedLocals: true, skipLibCheck: false };
    const compilerOptions = { ...strict, noEmit: true, preserveSymlinks: true, target: 'es2022', module: 'node16', typeRoots: [TYPES], types: ['node'] };
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }));
    const ran = spawnSync(process.execPath, [TSC, '-p', folder], { encoding: 'utf8' });
    assert.equal(ran.stdout, '');
    assert.equal(ran.status, 0, ran.stderr);
  });
}

'use strict';

// The programs of the pages, run one after the other as one: each line that prints says behind an arrow what.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const PACKAGE = path.join(__dirname, '..');

for (const name of ['README.md', 'MEMORY.md']) {
  test(`what ${name} shows is what happens`, (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-readme-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    fs.mkdirSync(path.join(folder, 'node_modules'));
    fs.symlinkSync(PACKAGE, path.join(folder, 'node_modules', 'nomyo-native'));
    const text = fs.readFileSync(path.join(PACKAGE, name), 'utf8');
    const program = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block).join('\n');
    const expected = [...program.matchAll(/\/\/ -> (.*)$/gm)].map(([, line]) => line);
    assert.ok(expected.length > 0);
    const printing = program.split('\n').filter((line) => line.includes('console.log('));
    assert.equal(printing.filter((line) => !line.includes('// -> ')).length, 0, 'a line prints, and does not say what');
    fs.writeFileSync(path.join(folder, 'program.mjs'), program);
    const { NOMYO_TEST_BASE_URL: url, NOMYO_TEST_CA_FILE: ca } = process.env;
    const env = { ...process.env, NOMYO_BASE_URL: url, NOMYO_API_KEY: 'test', SSL_CERT_FILE: ca };
    const ran = spawnSync(process.execPath, ['program.mjs'], { cwd: folder, env, encoding: 'utf8' });
    assert.deepEqual(ran.stdout.trimEnd().split('\n'), expected, ran.stderr);
    assert.equal(ran.status, 0);
  });
}

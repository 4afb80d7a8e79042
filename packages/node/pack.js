'use strict';

// Makes the npm packages:  node packages/node/pack.js VERSION TRIPLE...
//
// `nomyo-native` has the JavaScript and names a package with the addon of each platform as an optional dependency. npm installs the one
// package that fits the machine, by the fields os, cpu and libc. No package has an install script. The archives lie in dist/npm.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { prebuild } = require('../../bindings/node/prebuild.js');

const ROOT = path.join(__dirname, '..', '..');
const PACKAGE = path.join(ROOT, 'bindings', 'node');
const OUT = path.join(ROOT, 'dist', 'npm');
// Files that serve a checkout, where the addon is built.
const CHECKOUT_ONLY = ['install.js', 'prebuild.js', 'prebuilds/*/*.node'];

function npmPack(folder) {
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
  const printed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', OUT, folder], {
    cwd: OUT,
    env: Object.fromEntries(environment),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, size }] = JSON.parse(printed);
  console.log(`${filename}: ${(size / 1e6).toFixed(2)} MB`);
}

function write(folder, manifest) {
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  fs.copyFileSync(path.join(ROOT, 'LICENSE'), path.join(folder, 'LICENSE'));
}

/** The package with one platform's addon. Returns its name. */
function platformPackage(work, base, triple) {
  const { addon, package: name, selects } = prebuild(triple);
  const folder = path.join(work, name);
  const file = path.basename(addon);
  fs.mkdirSync(folder);
  fs.copyFileSync(path.join(ROOT, 'target', 'dist', triple, 'nomyo.node'), path.join(folder, file));
  fs.copyFileSync(path.join(ROOT, 'target', 'dist', triple, 'LICENCES-OF-ADDON'), path.join(folder, 'LICENCES-OF-DEPENDENCIES'));
  fs.writeFileSync(
    path.join(folder, 'README.md'),
    `# ${name}\nThe addon of [nomyo-native](https://www.npmjs.com/package/nomyo-native) for ${triple}. Install nomyo-native, which ` +
      'chooses the addon that fits the machine.\n',
  );
  const { version, license, engines } = base;
  const description = `The addon of nomyo-native for ${triple}`;
  write(folder, { name, version, description, license, ...selects, engines, files: [file, 'LICENCES-OF-DEPENDENCIES'] });
  npmPack(folder);
  return name;
}

function main(version, triples) {
  const { scripts, private: isPrivate, ...base } = JSON.parse(fs.readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'));
  if (!scripts?.install || !isPrivate) throw new Error('package.json of the checkout has changed: look at what is published');
  if (base.version !== version) throw new Error(`bindings/node/package.json is of version ${base.version}, and not ${version}`);
  fs.rmSync(OUT, { recursive: true, force: true });
  fs.mkdirSync(OUT, { recursive: true });
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'nomyo-npm-'));
  try {
    const names = triples.map((triple) => platformPackage(work, base, triple));
    const folder = path.join(work, base.name);
    const files = base.files.filter((name) => !CHECKOUT_ONLY.includes(name));
    for (const name of [...files, 'README.md']) fs.cpSync(path.join(PACKAGE, name), path.join(folder, name), { recursive: true });
    const optionalDependencies = Object.fromEntries(names.sort().map((name) => [name, version]));
    write(folder, { ...base, files, optionalDependencies });
    npmPack(folder);
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}

main(process.argv[2], process.argv.slice(3));

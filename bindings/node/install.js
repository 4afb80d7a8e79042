'use strict';

// Run by npm after it has put the package into place: the addon is there, or is built from the checkout around it.
//
// With NOMYO_BUILD_PROFILE=dev in the environment it is built without optimisation; in seconds, where the workspace is built.
// With NOMYO_BUILD_TARGET=TRIPLE it is built for another machine or C library, with the linker that cargo knows for it.

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { addonPath } = require('./lib/addon_path.js');
const { prebuild } = require('./prebuild.js');

const CHECKOUT = path.join(__dirname, '..', '..');
const PROFILE = process.env.NOMYO_BUILD_PROFILE || 'release';
// cargo builds for the target of its own variable, too, in a directory of that target.
const TARGET = process.env.NOMYO_BUILD_TARGET || process.env.CARGO_BUILD_TARGET || '';

function fail(why) {
  console.error(`nomyo-native: ${why}`);
  process.exit(1);
}

function inCheckout() {
  try {
    return fs.readFileSync(path.join(CHECKOUT, 'Cargo.toml'), 'utf8').includes('name = "nomyo"');
  } catch {
    return false;
  }
}

/** Builds the addon, and returns where it is. */
function built() {
  const target = process.env.CARGO_TARGET_DIR || path.join(CHECKOUT, 'target');
  const what = PROFILE === 'dev' && !TARGET ? ['--workspace'] : ['--package', 'nomyo-node'];
  if (TARGET) what.push('--target', TARGET);
  const command = ['build', '--locked', ...what, '--profile', PROFILE, '--target-dir', target];
  const { error, status } = spawnSync('cargo', command, { cwd: CHECKOUT, stdio: 'inherit' });
  if (error?.code === 'ENOENT') fail('building the addon needs Rust 1.89 or newer (https://rustup.rs) and a C compiler');
  if (error || status !== 0) fail('the addon could not be built; cargo says why above');
  const here = { linux: 'libnomyo_node.so', darwin: 'libnomyo_node.dylib', win32: 'nomyo_node.dll' }[process.platform];
  const file = TARGET ? prebuild(TARGET).built : (here ?? 'libnomyo_node.so');
  return path.join(target, TARGET, PROFILE === 'dev' ? 'debug' : PROFILE, file);
}

/** Where the addon belongs: for this machine as lib/addon_path.js looks for it, for another one by its target's name. */
function place() {
  if (!TARGET) return addonPath();
  try {
    return path.join(__dirname, prebuild(TARGET).addon);
  } catch (error) {
    return fail(error.message);
  }
}

function main() {
  const addon = inCheckout() ? place() : addonPath();
  if (inCheckout()) {
    const source = built();
    fs.mkdirSync(path.dirname(addon), { recursive: true });
    // A new file in the place of the old one, which may be in use.
    fs.copyFileSync(source, `${addon}.new`);
    // Without strip it works as well, and is larger. STRIP names the one for another machine.
    if (process.platform === 'linux') spawnSync(process.env.STRIP || 'strip', ['--strip-unneeded', `${addon}.new`]);
    fs.renameSync(`${addon}.new`, addon);
  } else if (!fs.existsSync(addon)) {
    const there = path.relative(__dirname, addon);
    fail(`this package has no addon for this machine (${there}); install it from a checkout, where it is built`);
  }
}

main();

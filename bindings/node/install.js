'use strict';

// Run by npm after it has put the package into place: the addon is there, or is built from the checkout around it.
//
// With NOMYO_BUILD_PROFILE=dev in the environment it is built without optimisation; in seconds, where the workspace is built.

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { addonPath } = require('./lib/addon_path.js');

const CHECKOUT = path.join(__dirname, '..', '..');
const PROFILE = process.env.NOMYO_BUILD_PROFILE || 'release';

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
  const what = PROFILE === 'dev' ? ['--workspace'] : ['--package', 'nomyo-node'];
  const command = ['build', '--locked', ...what, '--profile', PROFILE, '--target-dir', target];
  const { error, status } = spawnSync('cargo', command, { cwd: CHECKOUT, stdio: 'inherit' });
  if (error?.code === 'ENOENT') fail('building the addon needs Rust 1.89 or newer (https://rustup.rs) and a C compiler');
  if (error || status !== 0) fail('the addon could not be built; cargo says why above');
  const file = { linux: 'libnomyo_node.so', darwin: 'libnomyo_node.dylib', win32: 'nomyo_node.dll' }[process.platform];
  return path.join(target, PROFILE === 'dev' ? 'debug' : PROFILE, file ?? 'libnomyo_node.so');
}

function main() {
  const addon = addonPath();
  if (inCheckout()) {
    const source = built();
    fs.mkdirSync(path.dirname(addon), { recursive: true });
    // A new file in the place of the old one, which may be in use.
    fs.copyFileSync(source, `${addon}.new`);
    // Without strip it works as well, and is larger.
    if (process.platform === 'linux') spawnSync('strip', ['--strip-unneeded', `${addon}.new`]);
    fs.renameSync(`${addon}.new`, addon);
  } else if (!fs.existsSync(addon)) {
    const there = path.relative(__dirname, addon);
    fail(`this package has no addon for this machine (${there}); install it from a checkout, where it is built`);
  }
}

main();

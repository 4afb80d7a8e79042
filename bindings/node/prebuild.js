'use strict';

// The file in prebuilds/ that an addon for a target of Rust belongs in. The names are Node's, as lib/addon_path.js makes them on
// the machine that loads the addon.

const path = require('node:path');
const { names } = require('./lib/addon_path.js');

const ARCHITECTURES = { __proto__: null, x86_64: 'x64', aarch64: 'arm64' };
// The part of a triple behind the vendor; the directory's name for the system, the C library, and the file that cargo builds.
const SYSTEMS = {
  __proto__: null,
  'linux-gnu': ['linux', 'glibc', 'libnomyo_node.so'],
  'linux-musl': ['linux', 'musl', 'libnomyo_node.so'],
  darwin: ['darwin', 'napi', 'libnomyo_node.dylib'],
  'windows-gnu': ['win32', 'napi', 'nomyo_node.dll'],
  'windows-msvc': ['win32', 'napi', 'nomyo_node.dll'],
};

/**
 * Of a target: the path of the addon below the package, the name of the file that cargo builds, the name of the npm package that has
 * the addon alone, and the fields by which npm chooses that package. Throws for a target that is not known.
 */
function prebuild(triple) {
  const [machine, , ...rest] = triple.split('-');
  const [arch, system] = [ARCHITECTURES[machine], SYSTEMS[rest.join('-')]];
  if (!arch || !system) throw new Error(`no addon has a name for the target ${triple}`);
  const [platform, libc, built] = system;
  const { file, directory, package: name } = names(platform, arch, libc);
  return {
    addon: path.join('prebuilds', directory, file),
    built,
    package: name,
    selects: { os: [platform], cpu: [arch], ...(platform === 'linux' && { libc: [libc] }) },
  };
}

module.exports = { prebuild };

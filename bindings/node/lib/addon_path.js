'use strict';

// Where the addon for this machine is: prebuilds/<platform>-<arch>/nomyo-native.<libc>.node in this package, or a file of the same
// name in the package of this platform, which a published nomyo-native names among its optional dependencies.

const fs = require('node:fs');
const path = require('node:path');
const { version, optionalDependencies = {} } = require('../package.json');

const PT_INTERP = 3; // Elf64_Phdr.p_type, System V ABI
const LONGEST_PATH = 4096;

/**
 * The loader that an ELF program for 64 bits names, or the empty text. The name may lie anywhere in the program: a tool that changes
 * a program, such as patchelf, appends a new one at the end.
 */
function loader(file) {
  const program = fs.openSync(file, 'r');
  try {
    const read = (length, position) => {
      const bytes = Buffer.alloc(length);
      fs.readSync(program, bytes, 0, length, position);
      return bytes;
    };
    const header = read(64, 0);
    if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return '';
    const [size, count] = [header.readUInt16LE(54), header.readUInt16LE(56)];
    const segments = read(size * count, Number(header.readBigUInt64LE(32)));
    for (let at = 0; at < segments.length; at += size) {
      if (segments.readUInt32LE(at) !== PT_INTERP) continue;
      const length = Math.min(Number(segments.readBigUInt64LE(at + 32)), LONGEST_PATH);
      return read(length, Number(segments.readBigUInt64LE(at + 8))).toString('latin1').replace(/\0.*/s, '');
    }
    return '';
  } finally {
    fs.closeSync(program);
  }
}

/**
 * The C library that a program runs on. Node-API is the only thing that the addon asks for on other systems. /proc/self/maps would
 * name the C library, too, but takes longer to read than the addon takes to load.
 */
function libc(program = process.execPath) {
  if (process.platform !== 'linux') return 'napi';
  try {
    return loader(program).includes('/ld-musl-') ? 'musl' : 'glibc';
  } catch {
    // The program may be executable and not readable. Most systems have glibc.
    return 'glibc';
  }
}

/** The name of the addon's file on a platform, and of the npm package that has this file alone. */
function names(platform, arch, clib) {
  const suffix = platform === 'linux' ? `-${clib}` : '';
  return { file: `nomyo-native.${clib}.node`, directory: `${platform}-${arch}`, package: `nomyo-native-${platform}-${arch}${suffix}` };
}

/**
 * The path of the addon. In a checkout, which has no optional dependencies, no other package is asked. A platform's package of another
 * version than this one does not count.
 */
function addonPath() {
  const { file, directory, package: other } = names(process.platform, process.arch, libc());
  const inside = path.join(__dirname, '..', 'prebuilds', directory, file);
  if (!Object.hasOwn(optionalDependencies, other)) return inside;
  try {
    const manifest = require.resolve(`${other}/package.json`);
    if (require(manifest).version === version) return path.join(path.dirname(manifest), file);
  } catch {
    // npm has not installed it: this platform is not the package's, or optional dependencies were left out.
  }
  return inside;
}

module.exports = { addonPath, libc, names };

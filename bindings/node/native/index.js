'use strict';

// What `"nomyo-native": "file:./native"` of nomyo-js finds where ./native is a link to this folder: the package that the
// folder is part of. MEMORY.md says how to link it, and what to do where a link does not serve.

const { name } = require('../package.json');

if (name !== 'nomyo-native') {
  throw new Error(
    `this folder was copied into ${name}, away from the package that it stands for: link it, or unpack nomyo-native's own ` +
      'archive here (MEMORY.md)',
  );
}

module.exports = require('../index.js');

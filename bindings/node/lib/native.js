'use strict';

// The addon. What it exports is internal: users see the classes of this package.

const fs = require('node:fs');
const { addonPath } = require('./addon_path.js');

function loaded() {
  const file = addonPath();
  if (!fs.existsSync(file)) {
    throw new Error(
      `nomyo-native has no addon for this machine: ${file} is missing. Run "npm rebuild nomyo-native", which says what ` +
        'building it needs.',
    );
  }
  return require(file);
}

module.exports = loaded();

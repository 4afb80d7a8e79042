'use strict';

// The addon. What it exports is internal: users see the classes of this package.

const fs = require('node:fs');
const path = require('node:path');
const { addonPath } = require('./addon_path.js');
const { optionalDependencies = {} } = require('../package.json');

/** Whether a bundler has copied this file into another one. Its neighbours are not beside it then, and neither is the addon. */
const isBundled = () => !fs.existsSync(path.join(__dirname, 'addon_path.js'));

function loaded() {
  const file = addonPath();
  if (!fs.existsSync(file)) {
    if (isBundled()) {
      throw new Error(
        'nomyo-native was bundled, and its addon cannot be: declare nomyo-native external, and install it beside the bundle. ' +
          'Its README says how for esbuild, webpack and Next.js.',
      );
    }
    throw new Error(
      Object.keys(optionalDependencies).length > 0
        ? `nomyo-native has no addon for this machine (${process.platform}, ${process.arch}): npm installed none of its packages ` +
            `${Object.keys(optionalDependencies).join(', ')}. If one of them is for this machine, install again without --omit=optional.`
        : `nomyo-native has no addon for this machine: ${file} is missing. Run "npm rebuild nomyo-native", which says what ` +
            'building it needs.',
    );
  }
  return require(file);
}

module.exports = loaded();

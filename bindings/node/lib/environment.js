'use strict';

// The environment variables that a client reads, and the option that each of them stands for.
//
// The variables are read from process.env and never by the addon. A worker may have an environment of its own. And Node
// locks the environment for its own threads only: a read by the addon beside an assignment in another thread could crash.

const bothCases = (names) => names.flatMap((name) => [name, name.toLowerCase()]);

/** The conventions that all programs of a machine share. With REQUEST_METHOD, HTTP_PROXY is a header of a CGI request. */
const NETWORK = {
  proxy: [...bothCases(['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY']), 'REQUEST_METHOD'],
  caFile: ['SSL_CERT_FILE', 'SSL_CERT_DIR'],
};
const ALL = {
  baseUrl: ['NOMYO_BASE_URL'],
  apiKey: ['NOMYO_API_KEY'],
  keyDir: ['NOMYO_KEY_DIR'],
  keyPassword: ['NOMYO_KEY_PASSWORD'],
  keyGroupRead: ['NOMYO_KEY_GROUP_READ'],
  serverKeyPins: ['NOMYO_SERVER_KEY_PIN'],
  tlsPins: ['NOMYO_TLS_PIN'],
  ...NETWORK,
};
const READ = new Map([
  [true, ALL],
  ['network', NETWORK],
  [false, {}],
]);

/** The variables and their values, without those of the options that are given. An empty variable counts as unset. */
function variablesFor(given) {
  const names = Object.entries(READ.get(given.environment ?? true)).flatMap(([option, names]) =>
    Object.hasOwn(given, option) ? [] : names,
  );
  const set = names.filter((name) => Object.hasOwn(process.env, name) && process.env[name] !== '');
  return set.map((name) => ({ name, value: process.env[name] }));
}

module.exports = { ENVIRONMENTS: [...READ.keys()], variablesFor };

'use strict';

// Names that have no meaning where they are given. Ignored, a misspelled `securityTier` would silently send the request at
// the standard tier. Each name is refused with a TypeError that says which name was probably meant.

/** Letters and digits in lower case: `security_tier`, `securityTier` and `SecurityTier` are one name. */
const folded = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** How many letters must be inserted, removed or replaced to turn one text into the other (Levenshtein). */
function distance(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[to.length];
}

/** The one of `known` that `name` misspells; undefined if none is near. */
function nearest(name, known) {
  // No name is longer. The limit bounds the work for a name that is a whole text.
  if (name.length > 64) return undefined;
  const given = folded(name);
  const near = known
    .map((candidate) => ({ candidate, away: distance(given, folded(candidate)) }))
    .filter(({ candidate, away }) => away <= folded(candidate).length / 3)
    .sort((a, b) => a.away - b.away);
  return near[0]?.candidate;
}

/** Names in a message: so many, and so much of each, that a person can read it. */
function listed(names) {
  const shown = names.slice(0, 10).map((name) => (name.length > 64 ? `${name.slice(0, 61)}...` : name));
  return names.length > 10 ? [...shown, `${names.length - 10} more`] : shown;
}

/** Refuses `names` that are not among `known`. `elsewhere` says where names belong that are valid in another place. */
function refuseUnknown(names, known, what, elsewhere = {}) {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const said = listed(unknown).map((name) => {
    const misplaced = nearest(name, Object.keys(elsewhere));
    if (misplaced !== undefined) return `${name} (${elsewhere[misplaced]})`;
    const meant = nearest(name, known);
    return meant === undefined ? name : `${name} (did you mean ${meant}?)`;
  });
  throw new TypeError(`unknown in ${what}: ${said.join(', ')}. There are: ${known.join(', ')}`);
}

/** Refuses arguments after the last one that a method has. */
function refuseMore(more, method) {
  const extra = more.find((value) => value !== undefined);
  if (extra === undefined) return;
  // The members of bytes, of an array and of a text are no names.
  const named = extra !== null && typeof extra === 'object' && !Array.isArray(extra) && !ArrayBuffer.isView(extra);
  const names = named ? listed(Object.keys(extra)) : [];
  const holding = names.length > 0 ? `, which holds ${names.join(', ')}` : '';
  throw new TypeError(`${method} has one argument too many${holding}: it would have no effect; correct the order, or leave it out`);
}

/** Options that people write into a request, where the server would ignore them; and the remedy. */
const NOT_IN_A_REQUEST = {
  securitytier: { exact: 'security_tier', instead: 'write security_tier, or give the option securityTier if the method has it' },
  apikey: { exact: 'api_key', instead: 'write api_key, or give the option apiKey if the method has it' },
  signal: { exact: null, instead: 'pass { signal } as the last argument, the options' },
  timeout: { exact: null, instead: 'pass { timeout } as the last argument, the options' },
};

/** The option of a call that a member of a request stands for; undefined for a parameter of the model. */
function optionInRequest(name) {
  const given = folded(name);
  if (Object.hasOwn(NOT_IN_A_REQUEST, given)) return given;
  // A misspelled tier is sent at a lower tier than its author wants. No parameter of a model is that near.
  return nearest(name, ['security_tier']) && 'securitytier';
}

/** Refuses options of the call among the members of a request. All other members are parameters of the model. */
function refuseOptionsInRequest(request) {
  for (const name of Object.keys(request)) {
    const option = optionInRequest(name);
    if (option === undefined || request[name] === undefined) continue;
    const { exact, instead } = NOT_IN_A_REQUEST[option];
    if (name !== exact) throw new TypeError(`${name} is no member of a request and would have no effect: ${instead}`);
  }
}

module.exports = { refuseMore, refuseOptionsInRequest, refuseUnknown };

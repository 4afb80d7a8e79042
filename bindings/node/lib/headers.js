'use strict';

/** The headers of a response by their names in small letters, from the addon's list. Nothing comes from a prototype. */
function headersOf(list) {
  const headers = { __proto__: null };
  for (const { name, value } of list) headers[name] = value;
  return Object.freeze(headers);
}

module.exports = { headersOf };

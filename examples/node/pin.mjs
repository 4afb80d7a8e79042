// Sends a prompt only to the server that is pinned. Without pins it shows what can be pinned: the fingerprint of the server's
// key and the certificates of its TLS connection, to be compared with what the server's operator says.
//
//     echo 'What is a lion?' | NOMYO_API_KEY=... node pin.mjs [--url URL] [--ca FILE] [--pin FINGERPRINT] [--tls-pin sha256/...]
//
// With --pin nobody else can read the prompt, even if TLS is intercepted. With --tls-pin an interceptor gets nothing at all:
// no API key, no prompt, no answer.

import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Client, PinError } from 'nomyo-native';

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, ca: { type: 'string' }, pin: { type: 'string' }, 'tls-pin': { type: 'string' } },
});

// Each pin may be an array, so that the next key can be pinned before the server changes to it.
const pins = { serverKeyPins: options.pin, tlsPins: options['tls-pin'] };
const client = new Client({ baseUrl: options.url, caFile: options.ca, ...pins });
try {
  if (pins.serverKeyPins || pins.tlsPins) {
    const messages = [{ role: 'user', content: await text(process.stdin) }];
    const answer = await client.create({ model: 'Qwen/Qwen3-0.6B', messages });
    console.log(answer.content());
    answer.close();
  } else {
    console.log((await client.serverKey()).fingerprint);
    for (const { role, sha256, subject } of await client.tlsChain()) console.log(`${role}: ${sha256} ${subject}`);
  }
} catch (error) {
  if (!(error instanceof PinError)) throw error;
  console.error(`this is not the server that was pinned, or its key has changed: ${error.message}`);
  process.exitCode = 1;
} finally {
  client.close();
}

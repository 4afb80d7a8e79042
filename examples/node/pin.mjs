// Talks to no server but the one whose key has the given fingerprint, so that the encryption holds even where TLS is
// intercepted. Without --pin it shows the fingerprint, to be compared with what the server's operator says.
//
//     echo 'What is a lion?' | NOMYO_API_KEY=... node pin.mjs [--url URL] [--ca FILE] [--pin FINGERPRINT]

import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Client, PinError } from 'nomyo-native';

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, ca: { type: 'string' }, pin: { type: 'string' } },
});

// An array takes the next key, too, before the server changes it.
const client = new Client({ baseUrl: options.url, caFile: options.ca, serverKeyPins: options.pin });
try {
  if (options.pin) {
    const messages = [{ role: 'user', content: await text(process.stdin) }];
    const answer = await client.create({ model: 'Qwen/Qwen3-0.6B', messages });
    console.log(answer.content());
    answer.close();
  } else {
    console.log((await client.serverKey()).fingerprint);
  }
} catch (error) {
  if (!(error instanceof PinError)) throw error;
  console.error(`this is not the server that we know, or its key has changed; nothing was sent: ${error.message}`);
  process.exitCode = 1;
} finally {
  client.close();
}

// Sends what it reads on stdin as one encrypted chat message, and prints the answer.
//
//     echo 'What is a lion?' | NOMYO_API_KEY=... node chat.mjs [--url URL] [--ca FILE] [--model NAME]

import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Client, NomyoError } from 'nomyo-native';

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, ca: { type: 'string' }, model: { type: 'string', default: 'Qwen/Qwen3-0.6B' } },
});

try {
  const client = new Client({ baseUrl: options.url, caFile: options.ca }); // the key is in NOMYO_API_KEY
  const answer = await client.create({
    model: options.model ?? '',
    messages: [{ role: 'user', content: await text(process.stdin) }],
  });
  console.log(answer.content());
  answer.close(); // wipes it
  client.close();
} catch (error) {
  if (!(error instanceof NomyoError)) throw error;
  console.error(`chat: ${error.status}: ${error.message}`);
  process.exitCode = 1;
}

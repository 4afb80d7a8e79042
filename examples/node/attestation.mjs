// Prints an answer only if it came with a TPM quote that holds, and says what that proves. With --pcr the registers must
// have the given values, too.
//
//     echo 'What is a lion?' | NOMYO_API_KEY=... node attestation.mjs [--url URL] [--ca FILE] [--pcr sha256:7=HEX]...

import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { AttestationError, Client } from 'nomyo-native';

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, ca: { type: 'string' }, pcr: { type: 'string', multiple: true, default: [] } },
});

// Several values of one register are alternatives, as before and after an update.
/** @type {Record<string, string[]>} */
const pcrs = {};
for (const pcr of options.pcr ?? []) {
  const [register = '', value = ''] = pcr.split('=');
  (pcrs[register] ??= []).push(value);
}

const client = new Client({
  baseUrl: options.url,
  caFile: options.ca,
  attestation: { require: Object.keys(pcrs).length > 0 ? 'baseline' : 'consistent', pcrs },
});
try {
  const messages = [{ role: 'user', content: await text(process.stdin) }];
  const answer = await client.create({ model: 'Qwen/Qwen3-0.6B', messages });
  console.log(answer.content());
  console.log(`${answer.attestation.level}: ${answer.attestation.meaning}`);
  for (const { number, name, result, detail } of answer.attestationReport.checks) {
    console.log(`${number} ${name}: ${result} ${detail}`);
  }
  answer.close();
} catch (error) {
  if (!(error instanceof AttestationError)) throw error;
  // The quote comes with the answer: the prompt has been sent all the same.
  console.error(`the answer is withheld: ${error.message}`);
  process.exitCode = 1;
} finally {
  client.close();
}

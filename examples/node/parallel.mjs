// Sends each line of stdin as a prompt of its own, several at once through one client, and prints the answers in the
// order of the lines. The first failure, or Ctrl-C, ends the calls that are under way.
//
//     NOMYO_API_KEY=... node parallel.mjs [--url URL] [--ca FILE] [--at-once N] < PROMPTS

import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Client } from 'nomyo-native';

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, ca: { type: 'string' }, 'at-once': { type: 'string', default: '8' } },
});

const client = new Client({ baseUrl: options.url, caFile: options.ca }); // one for all: it keeps its keys and connections
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());

const prompts = (await text(process.stdin)).split('\n').filter((line) => line !== '');
/** @type {(string | null)[]} */
const answers = [];

/** Takes one prompt after the other, until there is none. */
async function work() {
  for (let i = answers.length; i < prompts.length; i = answers.length) {
    answers[i] = null; // taken
    const messages = [{ role: 'user', content: prompts[i] }];
    const answer = await client.create({ model: 'Qwen/Qwen3-0.6B', messages }, { signal: controller.signal });
    answers[i] = answer.content();
    answer.close();
  }
}

try {
  await Promise.all(Array.from({ length: Number(options['at-once']) }, work));
  console.log(answers.join('\n'));
} catch (error) {
  controller.abort(error);
  throw error;
} finally {
  client.close();
}

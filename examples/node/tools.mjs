// Lets the model call a function of ours: it asks for the document on stdin, gets it, and answers.
//
//     NOMYO_API_KEY=... node tools.mjs [--url URL] [--ca FILE] < DOCUMENT

import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Client } from 'nomyo-native';

const { values: options } = parseArgs({ options: { url: { type: 'string' }, ca: { type: 'string' } } });

/** What we offer, in OpenAI's form. */
const tools = [
  {
    type: 'function',
    function: {
      name: 'read_document',
      description: 'The text that the user is looking at',
      parameters: { type: 'object', properties: {} },
    },
  },
];

/**
 * What a call gets back: a text, which may as well say what is wrong with the call.
 *
 * @param {import('nomyo-native').ToolCall} call written by the model: not to be trusted
 */
async function result(call) {
  if (call.function.name !== 'read_document') return `there is no function ${call.function.name}`;
  return text(process.stdin);
}

/**
 * Answers the model's calls until it has no more.
 *
 * @param {Client} client
 * @param {string} question
 */
async function converse(client, question) {
  /** @type {import('nomyo-native').Message[]} */
  const messages = [{ role: 'user', content: question }];
  for (let turn = 0; turn < 5; turn += 1) {
    const answer = await client.create({ model: 'Qwen/Qwen3-0.6B', messages, tools });
    const [content, calls] = [answer.content(), answer.toolCalls()];
    answer.close();
    if (calls === null) return content;
    messages.push({ role: 'assistant', content, tool_calls: calls });
    for (const call of calls) messages.push({ role: 'tool', tool_call_id: call.id, content: await result(call) });
  }
  throw new Error('the model calls functions without end');
}

const client = new Client({ baseUrl: options.url, caFile: options.ca });
console.log(await converse(client, 'What is the document about?'));
client.close();

// Compiled, not run: requests in the types of the package openai are accepted without a cast, and answers fit its types.
//
// The tests install openai for its types alone, and none of its code runs.

import type OpenAI from 'openai';
import { Client, SecureChatCompletion, type ChatCompletion, type Response, type ToolCall, type Usage } from 'nomyo-native';

type Params = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
type MessageParam = OpenAI.Chat.ChatCompletionMessageParam;

export function asked(client: Client, params: Params): Promise<Response> {
  return client.create(params, { securityTier: 'high' });
}

export function askedOfTheSdk(chat: SecureChatCompletion, params: Params): Promise<ChatCompletion> {
  return chat.create({ ...params, security_tier: 'high' });
}

export function askedWithTools(client: Client, messages: MessageParam[], tools: OpenAI.Chat.ChatCompletionTool[]): Promise<Response> {
  return client.create({ model: 'm', messages, tools, tool_choice: 'auto' });
}

/** A conversation in openai's types goes on with the message of an answer. */
export async function continued(chat: SecureChatCompletion, messages: MessageParam[]): Promise<ChatCompletion> {
  const { choices } = await chat.create({ model: 'm', messages });
  const said: MessageParam[] = choices.map(({ message }) => message);
  return chat.create({ model: 'm', messages: [...messages, ...said] });
}

/** A function that was written for openai takes the answers of both classes. */
export async function passedOn(client: Client, chat: SecureChatCompletion, params: Params): Promise<string> {
  const written = (completion: OpenAI.Chat.ChatCompletion): string | null | undefined => completion.choices[0]?.message.content;
  using answer = await client.create(params);
  return `${written(await chat.create(params))} ${written(answer.json())}`;
}

/** Tool calls and usage have openai's types, in the plain object and in the class. */
export async function read(client: Client, params: Params): Promise<string> {
  using answer = await client.create(params);
  const calls: ToolCall[] = answer.choices[0]?.message.tool_calls ?? [];
  const theirs: OpenAI.Chat.ChatCompletionMessageToolCall[] = calls;
  const same: OpenAI.Chat.ChatCompletionMessageToolCall[] | null = answer.toolCalls();
  const usage: Usage | undefined = answer.usage;
  const asOpenai: OpenAI.CompletionUsage | undefined = usage;
  const counts: Array<number | undefined> = [
    usage?.total_tokens,
    usage?.completion_tokens_details?.reasoning_tokens,
    usage?.prompt_tokens_details?.cached_tokens,
  ];
  for (const { id, type, function: called } of calls) counts.push(`${id}${type}${called.name}${called.arguments}`.length);
  // @ts-expect-error no such member
  calls[0]?.function.args;
  // @ts-expect-error no such detail
  usage?.prompt_tokens_details?.cached;
  return [theirs.length, same?.length, asOpenai?.prompt_tokens, counts].join();
}

// Compiled, not run: a service as a newcomer writes it, with what the compiler finds in it.

import type OpenAI from 'openai';
import {
  CancelledError,
  Client,
  NomyoError,
  RateLimitError,
  type ChatCompletion,
  type ClientOptions,
  type SecureChatCompletion,
} from 'nomyo-native';

const options: ClientOptions = { timeout: 5_000, maxRetries: 1, rateLimit: undefined };
export const client = new Client(options);

export async function ask(question: string): Promise<string> {
  const request = { model: 'm', messages: [{ role: 'user', content: question }] };
  const answer = await client.create(request, { signal: AbortSignal.timeout(1000), securityTier: 'high' });
  try {
    return answer.content() ?? '';
  } finally {
    answer.close();
  }
}

export async function askAndClose(question: string): Promise<string | null | undefined> {
  using answer = await client.create({ model: 'm', messages: [{ role: 'user', content: question }] });
  const whole: ChatCompletion = answer.json();
  return whole.choices?.[0]?.message?.content;
}

export async function asOpenai(chat: SecureChatCompletion): Promise<string | null | undefined> {
  const params: OpenAI.Chat.ChatCompletionCreateParamsNonStreaming = {
    model: 'm',
    messages: [{ role: 'user', content: 'x' }],
    tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
  };
  const completion: OpenAI.Chat.ChatCompletion = await chat.create(params);
  return completion.choices[0]?.message.content;
}

interface OwnMessage {
  role: 'user' | 'assistant';
  content: string;
}

interface OwnRequest {
  model: string;
  messages: OwnMessage[];
  temperature: number;
}

export function withInterfaces(chat: SecureChatCompletion, request: OwnRequest): Promise<ChatCompletion> {
  return chat.create(request);
}

export function onError(error: unknown): number | string | null | undefined {
  if (error instanceof RateLimitError) return error.retryAfterMs;
  if (error instanceof CancelledError) return error.name;
  if (!(error instanceof NomyoError)) return undefined;
  switch (error.status) {
    case 'NOMYO_ERR_PIN':
      return 1;
    // @ts-expect-error no such status
    case 'NOMYO_ERR_PINN':
      return 2;
    default:
      return error.code;
  }
}

// A parameter of the model may have any name.
export const sent = client.create({ model: 'm', messages: [], tempreature: 0.1 });
// @ts-expect-error misspelled
export const refused = client.create({ model: 'm', messages: [] }, { securitytier: 'high' });

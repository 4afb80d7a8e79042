// Requests and answers as objects.

import type { SecurityTier } from './index.js';

/**
 * A member of a conversation. OpenAI's types for messages are assignable to it, as are interfaces of your own: an index
 * signature of type `any` accepts an interface, and one of type `unknown` does not.
 */
export interface Message {
  role: string;
  content?: unknown;
  [member: string]: any;
}

/**
 * An OpenAI-style chat request. Members that are not listed are sent as well. Options of the call among them are a TypeError.
 * OpenAI's types for requests are assignable to it.
 */
export interface ChatRequest {
  model: string;
  messages: readonly Message[];
  temperature?: number | null | undefined;
  max_tokens?: number | null | undefined;
  top_p?: number | null | undefined;
  stop?: string | readonly string[] | null | undefined;
  presence_penalty?: number | null | undefined;
  frequency_penalty?: number | null | undefined;
  n?: number | null | undefined;
  seed?: number | null | undefined;
  tools?: readonly unknown[] | undefined;
  tool_choice?: unknown;
  response_format?: unknown;
  /** An option of the call, or `security_tier` in the request. */
  securityTier?: undefined;
  /** An option of the call, or `api_key` in the request. */
  apiKey?: undefined;
  /** An option of the call. */
  signal?: undefined;
  /** An option of the call. */
  timeout?: undefined;
  [member: string]: any;
}

/** A call of a tool that the model asks for, in OpenAI's form. */
export interface ToolCall {
  id: string;
  type: 'function';
  /** `arguments` is JSON that the model has written: check it before use. */
  function: { name: string; arguments: string };
  [member: string]: unknown;
}

/** How many tokens the request and the answer took, in OpenAI's form. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens?: number; audio_tokens?: number };
  completion_tokens_details?: {
    reasoning_tokens?: number;
    audio_tokens?: number;
    accepted_prediction_tokens?: number;
    rejected_prediction_tokens?: number;
  };
}

/** The message of a choice. It may follow the other messages in the next request. */
export interface ChoiceMessage {
  role: 'assistant';
  content: string | null;
  refusal: string | null;
  /** The model's reasoning. OpenAI's form has no such member. */
  reasoning_content?: string | null;
  tool_calls?: ToolCall[];
  [member: string]: unknown;
}

/** Facts about an answer, from the library and the server. */
export interface Metadata {
  payload_id: string;
  processed_at?: unknown;
  is_encrypted: true;
  encryption_algorithm: string;
  security_tier?: SecurityTier;
  [member: string]: unknown;
}

/** The probability of a token, and of the tokens that were likely in its place. */
export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes: number[] | null;
  top_logprobs: Array<{ token: string; logprob: number; bytes: number[] | null }>;
}

/** One of the answers that were asked for, in OpenAI's form. */
export interface Choice {
  index: number;
  message: ChoiceMessage;
  finish_reason: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';
  logprobs: { content: TokenLogprob[] | null; refusal: TokenLogprob[] | null } | null;
  [member: string]: unknown;
}

/**
 * An answer as an object, with all members that the server adds. OpenAI's type `ChatCompletion` accepts it. The types are those
 * that OpenAI documents. The library checks that the answer is authentic. It does not check that the model's server keeps to
 * this form: many servers leave `refusal` and `logprobs` out, or send null for `tool_calls` and for the details of `usage`.
 */
export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  created: number;
  model: string;
  choices: Choice[];
  usage?: Usage;
  _metadata: Metadata;
  [member: string]: unknown;
}

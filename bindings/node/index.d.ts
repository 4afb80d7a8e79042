/**
 * Native client for NOMYO's end-to-end-encrypted chat endpoint.
 *
 * {@link SecureChatCompletion} takes the place of nomyo-js; {@link Client} is the whole library.
 */

/// <reference types="node" />

export * from './errors.js';
export * from './lib/memory.js';

/** Bytes that stay the caller's: what is kept of them is copied before the function returns, so that they may be wiped. */
export type Bytes = ArrayBufferView | ArrayBuffer;

/** A path, or a `file:` URL. */
export type Path = string | URL;

/** `standard`, `high` or `maximum`. */
export type SecurityTier = 'standard' | 'high' | 'maximum';

/** Something with the methods of `console`: that, or a logger such as pino. */
export interface Logger {
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
}

/** What is asked of the TPM quote in every answer; one that proves less is withheld, after the prompt has been sent. */
export interface AttestationPolicy {
  /** The level that an answer must reach. Without it nothing is withheld. */
  require?: 'consistent' | 'baseline';
  /** The values in hex that a register may have: `{'sha256:7': ['0a...', '1b...']}`. */
  pcrs?: Record<string, string | readonly string[]>;
}

/** Options of a client. What is left out comes from the environment, else from the library. Times are in milliseconds. */
export interface ClientOptions {
  /** Such as `https://api.nomyo.ai`, the default. Environment: `NOMYO_BASE_URL`. */
  baseUrl?: string;
  /** Sent as a bearer token; `''` sends none. Environment: `NOMYO_API_KEY`. */
  apiKey?: string | Bytes;
  /** Allows `http://` for a server on the same machine. Without TLS the encryption can be subverted. */
  allowHttp?: boolean;
  /** What a whole call may take, with its attempts and the waits between them; 900 000 by default. */
  timeout?: number;
  /** How soon a connection must be there; 10 000 by default. */
  connectTimeout?: number;
  /** How many failed attempts are repeated; 2 by default, at most 10. */
  maxRetries?: number;
  /** How many attempts may begin in a second, and how many at once after a pause; by default any number. */
  rateLimit?: { perSecond: number; burst: number };
  /** The largest answer that is read, in bytes; 64 MiB by default. */
  responseLimit?: number;
  /** Such as `http://user:password@host:3128`, or `''` for none; by default the environment's, as usual. */
  proxy?: string;
  /** PEM file of the certificate authorities to believe instead of the platform's. */
  caFile?: Path;
  /** The fingerprint of the server's key, or several: any other key is {@link PinError}. Environment: `NOMYO_SERVER_KEY_PIN`. */
  serverKeyPins?: string | readonly string[];
  /** A file that remembers the server's key at its first use; another one then is {@link PinError}. */
  knownServers?: Path;
  /** How long the server's key is used before it is fetched again; 300 000 by default. */
  serverKeyTtl?: number;
  /** Where the client's key pair is kept; by default it lives in memory, as long as the client. Environment: `NOMYO_KEY_DIR`. */
  keyDir?: Path;
  /** Encrypts the private key there; 8 characters or more. Environment: `NOMYO_KEY_PASSWORD`. */
  keyPassword?: string | Bytes;
  /** How long a pair is used; a day by default, 0 for ever. */
  keyRotationInterval?: number;
  /** What is asked of the TPM quote in every answer. */
  attestation?: AttestationPolicy & { require: 'consistent' | 'baseline' };
  /** `prefer` (the default) locks secrets where the system allows it, `require` refuses to work without, `off` wipes only. */
  memory?: 'off' | 'prefer' | 'require';
  /** `false` reads nothing from the `NOMYO_` variables. */
  environment?: boolean;
  /** Receives log lines, on the event loop, which they do not keep alive: the last ones before an exit may be lost. */
  log?: Logger;
  /** The least important lines that it receives; `info` by default. */
  logLevel?: 'error' | 'warn' | 'info' | 'debug';
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call with {@link CancelledError}, at once. */
  signal?: AbortSignal;
  /** Left out, the server chooses. An answer of a lower tier is {@link SecurityError}. */
  securityTier?: SecurityTier;
  /** For this call, instead of the client's; `''` sends none. */
  apiKey?: string | Bytes;
  /** For this call, instead of the client's. */
  timeout?: number;
}

/** A member of a conversation. */
export interface Message {
  role: string;
  content?: unknown;
  [member: string]: unknown;
}

/** An OpenAI-style chat request. Members that are not listed are sent as well. */
export interface ChatRequest {
  model: string;
  messages: readonly Message[];
  temperature?: number;
  max_tokens?: number;
  top_p?: number;
  stop?: string | readonly string[];
  presence_penalty?: number;
  frequency_penalty?: number;
  n?: number;
  seed?: number;
  tools?: readonly unknown[];
  tool_choice?: unknown;
  response_format?: unknown;
  [member: string]: unknown;
}

/** A call of a tool that the model asks for. */
export interface ToolCall {
  id: string;
  type: string;
  function: { name: string; arguments: string };
  [member: string]: unknown;
}

/** What the library and the server say about an answer. */
export interface Metadata {
  payload_id: string;
  processed_at?: unknown;
  is_encrypted: true;
  encryption_algorithm: string;
  security_tier?: SecurityTier;
  [member: string]: unknown;
}

/** An answer as an object. What the server adds is there as well. */
export interface ChatCompletion {
  id?: string;
  object?: string;
  created?: number;
  model?: string;
  choices?: Array<{
    index?: number;
    message?: {
      role?: string;
      content?: string | null;
      reasoning_content?: string | null;
      tool_calls?: ToolCall[] | null;
      [member: string]: unknown;
    };
    finish_reason?: string | null;
    [member: string]: unknown;
  }>;
  usage?: { prompt_tokens?: number; completion_tokens?: number; total_tokens?: number; [member: string]: unknown };
  _metadata: Metadata;
  [member: string]: unknown;
}

/** The server's public key. */
export interface ServerKey {
  pem: string;
  /** SHA-256 of its SubjectPublicKeyInfo, as 64 hexadecimal digits: what `serverKeyPins` takes. */
  fingerprint: string;
}

/** What a quote proves, in rising order. Nobody vouches for its key: a program without a TPM can make a `baseline` one. */
export type AttestationLevel = 'absent' | 'unavailable' | 'invalid' | 'consistent' | 'baseline';

/** The verdict on a quote. What is behind `warnings` is 0 below `consistent`. */
export interface Attestation {
  readonly level: AttestationLevel;
  /** The name of the first check that failed, such as `TPM_NONCE_MISMATCH`. */
  readonly failedCheck: string | null;
  /** A sentence or two for a person. */
  readonly meaning: string;
  readonly warnings: number;
  /** How many registers the quote covers. */
  readonly pcrCount: number;
  /** The handle of the hierarchy that the key is a primary of; 0 when it is none as described. */
  readonly hierarchy: number;
  /** Milliseconds that the TPM has been powered on in its life. */
  readonly clock: number;
  /** Whether the clock has not gone back. */
  readonly clockSafe: boolean;
  readonly firmwareVersion: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
}

/** The verdict with every check; none of it is quoted from the answer. */
export interface AttestationReport {
  level: string;
  meaning: string;
  hardware_rooted: false;
  failed_check: string | null;
  checks: Array<{ number: number; name: string; result: 'ok' | 'warning' | 'failed' | 'skipped'; detail: string }>;
}

/**
 * A client of one server. Make one and keep it: it has a key pair, which takes most of a second to make, and connections.
 *
 * Every call is a promise, and works on a thread of its own; nothing blocks the event loop. A call under way keeps the
 * process alive. A client belongs to the thread that made it: make another one in a worker. When a worker is terminated
 * or the process exits, calls under way are cancelled. Promises reject with a {@link NomyoError}.
 */
export class Client {
  /**
   * Blocks on nothing but reading `caFile`; keys are made and connections opened when first needed.
   *
   * @throws ArgumentError (a value cannot be used), SecurityError (`http://` that is not allowed), FileError.
   */
  constructor(options?: ClientOptions);

  /**
   * Sends one chat request, encrypted, and waits for the whole answer, at most for the timeout (the first time also for
   * the making of keys).
   *
   * @param request an object, or its JSON as bytes, which leave nothing behind in JavaScript's memory.
   */
  create(request: ChatRequest | Bytes, options?: CallOptions): Promise<Response>;

  /** Makes or loads the keys (0.7 s on average, several at worst), connects and fetches the server's key, now. */
  warmUp(): Promise<void>;

  /** The server's key: compare its fingerprint with what the operator says, then pin it. */
  serverKey(): Promise<ServerKey>;

  /** The public half of the pair in use, as SPKI PEM. Makes or loads one when there is none yet. */
  publicKey(): Promise<string>;

  /**
   * Makes a new pair and uses it from now on; with `keyDir`, saves it there, where there must be none yet.
   *
   * Rejects with {@link ClientKeyError} (there is one), {@link FileError}, {@link ArgumentError} (a password of less than 8
   * characters, or without a directory); the pair in use stays then.
   */
  generateKeys(keyDir?: Path, password?: string | Bytes): Promise<void>;

  /**
   * Loads a pair from PEM files and uses it from now on. Without `publicKey` it comes out of the private one.
   *
   * Rejects with {@link ClientKeyError} (missing, a wrong password, not one pair, readable for others), {@link FileError};
   * the pair in use stays then.
   */
  loadKeys(privateKey: Path, publicKey?: Path, password?: string | Bytes): Promise<void>;

  /** Writes a copy of the pair in use to `keyDir`, where there must be none yet. */
  saveKeys(keyDir: Path, password?: string | Bytes): Promise<void>;

  /** Replaces the pair by a new one, in its directory too. Calls under way keep theirs. */
  rotateKeys(): Promise<void>;

  /**
   * Encrypts a request for the server with that public key, for an HTTP stack of your own. Sends nothing. Where the key
   * comes from is up to you, and the whole security of the request hangs on it.
   */
  seal(serverPem: string | Bytes, request: ChatRequest | Bytes, options?: { securityTier?: SecurityTier }): Promise<Sealed>;

  /** Decrypts the body of the 200 that answered `request`. Rejects with {@link SecurityError}, {@link ProtocolError}. */
  open(request: Sealed, body: Bytes): Promise<Response>;

  /**
   * Wipes the keys and closes the connections, at once or when the calls under way have ended, which go on. Closing twice
   * does nothing; using the client afterwards is {@link ArgumentError}. `Symbol.dispose`, where there is one, is the same.
   */
  close(): void;
}

/**
 * A decrypted answer, in memory that `close()` wipes; so does forgetting it, when it is collected.
 *
 * What the methods return are JavaScript values, copies that nobody can wipe; only `view()` copies nothing to JavaScript.
 * Everything but `close()` throws {@link ArgumentError} once it is closed. `Symbol.dispose`, where there is one, closes.
 */
export class Response {
  private constructor();

  /** The whole answer, parsed anew. */
  json(): ChatCompletion;

  /** How many choices the answer has. */
  readonly choices: number;

  /** The text of a choice; null with most tool calls. RangeError when there is no such choice. */
  content(choice?: number): string | null;

  /** What a thinking model thought. RangeError when there is no such choice. */
  reasoning(choice?: number): string | null;

  /** The tool calls of a choice. RangeError when there is no such choice. */
  toolCalls(choice?: number): ToolCall[] | null;

  /** Why the choice ended: `stop`, `length`, `tool_calls`. RangeError when there is no such choice. */
  finishReason(choice?: number): string | null;

  /** The value at a JSON Pointer such as `/usage/total_tokens`; undefined when there is none. */
  pointer(rfc6901: string): unknown;

  /** The id that the request was sent under. */
  readonly payloadId: string;

  /** What the TPM quote in the answer proves. */
  readonly attestation: Attestation;

  /** The verdict with every check. */
  readonly attestationReport: AttestationReport;

  /**
   * The bytes themselves, UTF-8, in locked memory of the library's. `close()` wipes them and takes them away: the view,
   * and everything else over its ArrayBuffer, has length 0 then. They cannot be transferred to another thread; a copy can.
   *
   * @param what `content`, `reasoning`, `toolCalls` or `finishReason` of a choice; or a JSON Pointer, for the JSON of a
   *   value: `/usage`, or `''` for the whole answer.
   * @returns null when absent.
   * @throws RangeError when there is no such choice, {@link OutOfMemoryError} where the runtime (Electron) allows no views.
   */
  view(what?: string, choice?: number): Buffer | null;

  /** Wipes and frees the answer, and its views. Closing twice does nothing. */
  close(): void;

  /** Whether it is closed. */
  readonly closed: boolean;
}

/** An encrypted request: what to POST to `/v1/chat/secure_completion`, and what its answer must fit. No plaintext. */
export class Sealed {
  private constructor();

  /** The HTTP body. It may be sent any number of times. */
  readonly body: Buffer;

  /** The HTTP headers to send with it. The API key is not among them: add `Authorization: Bearer ...`. */
  readonly headers: Record<string, string>;

  /** The id that the answer must name. */
  readonly payloadId: string;
}

/**
 * Judges what an answer has as `_metadata.tpm_attestation`, an object or its JSON, for the request with `payloadId`.
 * Blocks for a millisecond.
 *
 * @throws AttestationError when the policy requires more than it proves.
 */
export function verifyAttestation(block: object | Bytes, payloadId: string, policy?: AttestationPolicy): Attestation;

/** The version of the library, such as `0.1.0`. */
export const version: string;

/** Options of {@link SecureChatCompletion}, as nomyo-js has them. Times are in milliseconds. */
export interface ChatConfig {
  /** `https://api.nomyo.ai` by default. */
  baseUrl?: string;
  /** Allows `http://` for a server on the same machine. */
  allowHttp?: boolean;
  apiKey?: string | Bytes;
  /** `false` does not lock memory; it is wiped all the same. */
  secureMemory?: boolean;
  /** Where the key pair is kept. Unlike nomyo-js: in memory when left out. */
  keyDir?: Path;
  /** 2 by default, at most 10. */
  maxRetries?: number;
  /** What a whole call may take, with its attempts; 60 000 by default. */
  timeout?: number;
  /** Writes every step to the console; never prompts, answers or keys. */
  debug?: boolean;
  /** How long a pair is used; a day by default, 0 for ever. */
  keyRotationInterval?: number;
  /** The same as `keyDir`: a pair that is rotated stays where it is. */
  keyRotationDir?: Path;
  /** Encrypts the private key in that directory, the first one too; 8 characters or more. */
  keyRotationPassword?: string | Bytes;
}

/** Options of {@link SecureCompletionClient}. */
export interface ClientConfig extends Omit<ChatConfig, 'baseUrl'> {
  /** `https://api.nomyo.ai` by default. */
  routerUrl?: string;
  /** Accepted, and without effect: every pair has 4096 bits. */
  keySize?: 2048 | 4096;
}

/** An encrypted request: the body to POST. It must go out with `headers`, under its `payloadId`. */
export type EncryptedPayload = ArrayBuffer & { readonly headers: Record<string, string>; readonly payloadId: string };

/** Encrypted chat, with the interface of nomyo-js. Create one, share it in its thread, and dispose of it at the end. */
export class SecureChatCompletion {
  constructor(config?: ChatConfig);

  /**
   * Sends a chat request. `security_tier` and `api_key` among its members act on this call; all others are parameters of
   * the request.
   */
  create(
    request: ChatRequest & { security_tier?: SecurityTier; api_key?: string },
    options?: { signal?: AbortSignal; timeout?: number },
  ): Promise<ChatCompletion>;

  /** The same as create(). */
  acreate(
    request: ChatRequest & { security_tier?: SecurityTier; api_key?: string },
    options?: { signal?: AbortSignal; timeout?: number },
  ): Promise<ChatCompletion>;

  /** Wipes the keys and closes the connections; calls under way go on. */
  dispose(): void;
}

/** Keys, encryption and HTTP below {@link SecureChatCompletion}. */
export class SecureCompletionClient {
  constructor(config?: ClientConfig);

  /** Makes a new pair. What is in `keyDir` (`client_keys` by default) is not overwritten: {@link ClientKeyError}. */
  generateKeys(options?: {
    keySize?: 2048 | 4096;
    saveToFile?: boolean;
    keyDir?: Path;
    password?: string | Bytes;
  }): Promise<void>;

  /** Loads a pair; also a private key that nomyo-js has encrypted. */
  loadKeys(privateKeyPath: Path, publicKeyPath?: Path, password?: string | Bytes): Promise<void>;

  /** The server's public key, as PEM. */
  fetchServerPublicKey(): Promise<string>;

  /** The encrypted request. The library chooses its payload id. */
  encryptPayload(payload: object | Bytes): Promise<EncryptedPayload>;

  /** The answer to what encryptPayload() returned, which must be kept until then, under its payload id. */
  decryptResponse(encryptedResponse: Bytes, payloadId: string): Promise<ChatCompletion>;

  /** Sends a request. `payloadId` is not sent: the library chooses one, which is in the answer's `_metadata`. */
  sendSecureRequest(
    payload: object | Bytes,
    payloadId: string,
    apiKey?: string | Bytes,
    securityTier?: SecurityTier,
    options?: { signal?: AbortSignal; timeout?: number },
  ): Promise<ChatCompletion>;

  /** Wipes the keys and closes the connections; calls under way go on. */
  dispose(): void;
}

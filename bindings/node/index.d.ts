/**
 * Native client for NOMYO's end-to-end-encrypted chat endpoint.
 *
 * {@link SecureChatCompletion} takes the place of nomyo-js; {@link Client} is the whole library.
 */

/// <reference types="node" />

import type { ClientCertificate } from './certificate.js';
import type { ChatCompletion, ChatRequest, Choice, ToolCall, Usage } from './chat.js';
import type { SecureBuffer } from './lib/memory.js';

export * from './certificate.js';
export * from './chat.js';
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
  require?: 'consistent' | 'baseline' | undefined;
  /** The values in hex that a register may have: `{'sha256:7': ['0a...', '1b...']}`. */
  pcrs?: Record<string, string | readonly string[]> | undefined;
}

/**
 * Options of a client. An option that is left out comes from the environment if a variable is named there and set, otherwise
 * it has the library's default. Times are in milliseconds.
 */
export interface ClientOptions {
  /** Such as `https://api.nomyo.ai`, the default. Environment: `NOMYO_BASE_URL`. */
  baseUrl?: string | undefined;
  /** Sent as a bearer token; `''` sends none. Environment: `NOMYO_API_KEY`. */
  apiKey?: string | Bytes | undefined;
  /** Allows `http://` for a server on the same machine. Without TLS the encryption can be subverted. */
  allowHttp?: boolean | undefined;
  /** The time limit of every method that can block, all attempts and the waits between them included; 900 000 by default. */
  timeout?: number | undefined;
  /** How soon a connection must be there; 10 000 by default. */
  connectTimeout?: number | undefined;
  /** How many failed attempts are repeated; 2 by default, at most 10. */
  maxRetries?: number | undefined;
  /** How many attempts may begin in a second, and how many at once after a pause; by default any number. */
  rateLimit?: { perSecond: number; burst: number } | undefined;
  /** The largest answer that is read, in bytes; 64 MiB by default. */
  responseLimit?: number | undefined;
  /**
   * Such as `http://user:password@host:3128`, or `''` for none. Environment: `HTTPS_PROXY` (for an `http://` server
   * `http_proxy`), `ALL_PROXY`, `NO_PROXY`.
   */
  proxy?: string | undefined;
  /** Headers of each request, for a gateway in front of the server: at most 32. Those that the client sets are refused. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** PEM file of the certificate authorities to trust instead of the system's. Environment: `SSL_CERT_FILE`, `SSL_CERT_DIR`. */
  caFile?: Path | undefined;
  /** PEM texts of certificate authorities to trust too, beside the trust store or `caFile`. */
  caPem?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** The client certificate for a server that asks for one (mutual TLS), and its private key. */
  clientCertificate?: ClientCertificate | undefined;
  /** The fingerprint of the server's key, or several: any other key is {@link PinError}. Environment: `NOMYO_SERVER_KEY_PIN`. */
  serverKeyPins?: string | readonly string[] | undefined;
  /**
   * SHA-256 of the SubjectPublicKeyInfo of a certificate, as `sha256/` and base64 or as 64 hexadecimal digits; or several.
   * At least one certificate of the verified chain must have one of them, else {@link PinError} before the API key or the
   * prompt leaves. {@link Client.tlsChain} shows the chain. Through a proxy this pins the server, not the proxy. An `http://`
   * server with TLS pins is {@link ArgumentError}. Environment: `NOMYO_TLS_PIN`, with commas between several.
   */
  tlsPins?: string | readonly string[] | undefined;
  /**
   * `false` offers no post-quantum key exchange (X25519MLKEM768) in TLS. The first message of a handshake then fits into
   * one packet, which some firewalls need. `true` by default.
   */
  postQuantum?: boolean | undefined;
  /** A file that remembers the server's key at its first use; another one then is {@link PinError}. */
  knownServers?: Path | undefined;
  /** How long the server's key is used before it is fetched again; 300 000 by default. */
  serverKeyTtl?: number | undefined;
  /** Where the client's key pair is kept; by default it lives in memory, as long as the client. Environment: `NOMYO_KEY_DIR`. */
  keyDir?: Path | undefined;
  /** Encrypts the private key there; 8 characters or more. Environment: `NOMYO_KEY_PASSWORD`. */
  keyPassword?: string | Bytes | undefined;
  /** How long a pair is used; a day by default, 0 for ever. */
  keyRotationInterval?: number | undefined;
  /**
   * Accepts a private file that belongs to root and is readable by its group, as in a Secret volume of Kubernetes; `false` by
   * default. Environment: `NOMYO_KEY_GROUP_READ`.
   */
  keyGroupRead?: boolean | undefined;
  /** What is asked of the TPM quote in every answer. */
  attestation?: AttestationPolicy & { require: 'consistent' | 'baseline' } | undefined;
  /** `prefer` (the default) locks secrets where the system allows it, `require` refuses to work without, `off` wipes only. */
  memory?: 'off' | 'prefer' | 'require' | undefined;
  /**
   * Selects the environment variables that are read from `process.env` when the client is created.
   *
   * - `true`, the default: the variables that are named at the options, each unless its option is given.
   * - `'network'`: the variables of `proxy` and `caFile` only.
   * - `false`: none. Then there is no proxy, and the system's trust store is read from its usual place.
   */
  environment?: boolean | 'network' | undefined;
  /** Receives log lines, on the event loop, which they do not keep alive: the last ones before an exit may be lost. */
  log?: Logger | undefined;
  /** The least important lines that it receives; `info` by default. */
  logLevel?: 'error' | 'warn' | 'info' | 'debug' | undefined;
}

/** The limits of one call. Every method that can block takes them. */
export interface Limits {
  /** Ends the call with {@link CancelledError} when it is aborted. */
  signal?: AbortSignal | undefined;
  /** The time limit of this call in milliseconds, instead of the client's. {@link APITimeoutError} when it has passed. */
  timeout?: number | undefined;
}

/** Options of {@link Client.seal}. */
export interface SealOptions extends Limits {
  /** Left out, the server chooses. */
  securityTier?: SecurityTier | undefined;
}

/** Options of {@link Client.create}. */
export interface CallOptions extends Limits {
  /** Left out, the server chooses. An answer of a lower tier is {@link SecurityError}. */
  securityTier?: SecurityTier | undefined;
  /** For this call, instead of the client's; `''` sends none. */
  apiKey?: string | Bytes | undefined;
}

/** The server's public key. */
export interface ServerKey {
  pem: string;
  /** SHA-256 of its SubjectPublicKeyInfo, as 64 hexadecimal digits: what `serverKeyPins` takes. */
  fingerprint: string;
}

/** A certificate of the chain that the server's TLS connection was verified with. */
export interface Certificate {
  role: 'leaf' | 'intermediate' | 'root';
  /** SHA-256 of its SubjectPublicKeyInfo, as `sha256/` and base64: what `tlsPins` takes. */
  sha256: string;
  /** Its subject, such as `CN=api.nomyo.ai`. */
  subject: string;
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
 * Every call is a promise, and works on a thread of the addon; nothing blocks the event loop. Calls that begin together may
 * wait for a thread for some milliseconds, and `signal` and `timeout` end that wait. A call under way keeps the process alive. A
 * client belongs to the thread that created it: create another one in a worker. When a worker is terminated or the process
 * exits, calls under way are cancelled. Promises reject with a {@link NomyoError}, or with a TypeError for an option that does
 * not exist.
 *
 * `signal` and `timeout` end every method that takes {@link Limits}, whatever it waits for: another call's key generation, a
 * key directory that another process has locked, a name, a connection, an answer, the wait before a retry.
 */
export class Client {
  /**
   * Blocks on nothing but reading `caFile`; keys are made and connections opened when first needed.
   *
   * @throws TypeError (an option does not exist), ArgumentError (a value cannot be used), SecurityError (`http://` that is not
   *   allowed), FileError.
   */
  constructor(options?: ClientOptions);
  /**
   * Sends one chat request, encrypted, and waits for the whole answer. If it fails, {@link NomyoError.sent} tells whether
   * the request has left.
   *
   * @param request an object, or its JSON as bytes, which leave nothing behind in JavaScript's memory.
   */
  create(request: ChatRequest | Bytes, options?: CallOptions): Promise<Response>;
  /** Generates or loads the keys (0.7 s on average, several at worst), connects and fetches the server's key, now. */
  warmUp(options?: Limits): Promise<void>;
  /** The server's key: compare its fingerprint with what the operator says, then pin it. */
  serverKey(options?: Limits): Promise<ServerKey>;
  /**
   * The verified certificates of the server's TLS connection, leaf first: compare one with what the operator says, then pin
   * it with `tlsPins`. Connects if there is no connection yet. Rejects with {@link ArgumentError} for an `http://` server.
   */
  tlsChain(options?: Limits): Promise<Certificate[]>;
  /** The public half of the pair in use, as SPKI PEM. Generates or loads a pair if there is none yet. */
  publicKey(options?: Limits): Promise<string>;
  /**
   * Makes a new pair and uses it from now on; with `keyDir`, saves it there, where there must be none yet.
   *
   * Rejects with {@link ClientKeyError} (there is one), {@link FileError}, {@link ArgumentError} (a password of less than 8
   * characters, or without a directory); the pair in use stays then.
   */
  generateKeys(keyDir?: Path, password?: string | Bytes, options?: Limits): Promise<void>;
  /**
   * Loads a pair from PEM files and uses it from now on. Without `publicKey` it comes out of the private one.
   *
   * Rejects with {@link ClientKeyError} (missing, a wrong password, not one pair, readable for others), {@link FileError};
   * the pair in use stays then.
   */
  loadKeys(privateKey: Path, publicKey?: Path, password?: string | Bytes, options?: Limits): Promise<void>;
  /**
   * Loads a pair from PEM texts and uses it from now on. Without `publicKey` it comes out of the private one. Bytes are copied
   * before the function returns, and the copy is wiped: wipe your own afterwards.
   *
   * Rejects with {@link ClientKeyError} (a wrong password, not one pair of RSA keys), {@link ArgumentError} (empty, or longer
   * than 64 KiB); the pair in use stays then.
   */
  loadKeysPem(
    privateKey: string | Bytes,
    publicKey?: string | Bytes,
    password?: string | Bytes,
    options?: Limits,
  ): Promise<void>;
  /**
   * The private half of the pair in use, as PKCS#8 PEM, encrypted if there is a password; over the vault: `close()` wipes it.
   * It may outlive the client. Generates or loads a pair if there is none yet.
   */
  privateKeyPem(password?: string | Bytes, options?: Limits): Promise<SecureBuffer>;
  /** Writes a copy of the pair in use to `keyDir`, where there must be none yet. */
  saveKeys(keyDir: Path, password?: string | Bytes, options?: Limits): Promise<void>;

  /** Replaces the pair by a new one, in its directory too. Calls under way keep theirs. */
  rotateKeys(options?: Limits): Promise<void>;

  /**
   * Encrypts a request for the server with that public key, for an HTTP stack of your own. Sends nothing. Where the key
   * comes from is up to you, and the whole security of the request hangs on it.
   */
  seal(serverPem: string | Bytes, request: ChatRequest | Bytes, options?: SealOptions): Promise<Sealed>;

  /**
   * Decrypts the body of the 200 that answered `request`. Waits for nothing. Rejects with {@link SecurityError},
   * {@link ProtocolError}.
   */
  open(request: Sealed, body: Bytes): Promise<Response>;

  /**
   * Wipes the keys and closes the connections, at once or when the calls under way have ended, which go on. Closing twice
   * does nothing; using the client afterwards is {@link ArgumentError}.
   */
  close(): void;

  /** The same as close(), for `using`. Absent in a runtime that has no `Symbol.dispose`. */
  [Symbol.dispose](): void;
}

/**
 * A decrypted answer, in memory that `close()` wipes; so does forgetting it, when it is collected.
 *
 * What the methods return are JavaScript values, copies that nobody can wipe; only `view()` copies nothing to JavaScript.
 * Everything but `close()` throws {@link ArgumentError} once it is closed.
 */
export class Response {
  private constructor();

  /** The whole answer, parsed anew. */
  json(): ChatCompletion;

  /**
   * The same. JSON.stringify() calls it, and so do `response.json(answer)` of a web framework and a logger that writes objects
   * as JSON.
   */
  toJSON(): ChatCompletion;

  /** The choices in OpenAI's form, as the server sent them. Parsed at the first use; empty if the answer has none. */
  readonly choices: Choice[];

  /** How many choices the answer has. */
  readonly choiceCount: number;

  /** The tokens that the request and the answer took, as the server counted them; undefined if it sent none. */
  readonly usage: Usage | undefined;

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

  /** The `X-Request-ID` of the HTTP response, for a gateway's log; null if it had none. Nobody has authenticated it. */
  readonly requestId: string | null;

  /**
   * The headers of the HTTP response, their names in small letters; none for an answer of {@link Client.open}. Nobody has
   * authenticated them.
   */
  readonly headers: Readonly<Record<string, string | undefined>>;

  /** How many times the request was sent: 1, and 1 more for each retry. 0 for an answer of {@link Client.open}. */
  readonly attempts: number;

  /** What the TPM quote in the answer proves. */
  readonly attestation: Attestation;

  /** The verdict with every check. */
  readonly attestationReport: AttestationReport;

  /**
   * The bytes themselves, UTF-8, in locked memory of the library's. `close()` wipes them and takes them away: the view,
   * and everything else over its ArrayBuffer, has length 0 then. They cannot be transferred to another thread; a copy can.
   * Printed and written as JSON, a view is a text with its length.
   *
   * @param what `content`, `reasoning`, `toolCalls` or `finishReason` of a choice; or a JSON Pointer, for the JSON of a
   *   value: `/usage`, or `''` for the whole answer.
   * @returns null when absent.
   * @throws RangeError when there is no such choice, {@link OutOfMemoryError} where the runtime (Electron) allows no views.
   */
  view(what?: string, choice?: number): Buffer | null;

  /** Wipes and frees the answer, and its views. Closing twice does nothing. */
  close(): void;

  /** The same as close(), for `using`. Absent in a runtime that has no `Symbol.dispose`. */
  [Symbol.dispose](): void;

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
  baseUrl?: string | undefined;
  /** Allows `http://` for a server on the same machine. */
  allowHttp?: boolean | undefined;
  apiKey?: string | Bytes | undefined;
  /** `false` does not lock memory; it is wiped all the same. */
  secureMemory?: boolean | undefined;
  /** Where the key pair is kept. Unlike nomyo-js: in memory when left out. */
  keyDir?: Path | undefined;
  /** 2 by default, at most 10. */
  maxRetries?: number | undefined;
  /** The time limit of every method that can block, all attempts included; 60 000 by default. */
  timeout?: number | undefined;
  /** Writes every step to the console; never prompts, answers or keys. */
  debug?: boolean | undefined;
  /** How long a pair is used; a day by default, 0 for ever. */
  keyRotationInterval?: number | undefined;
  /** The same as `keyDir`: a pair that is rotated stays where it is. */
  keyRotationDir?: Path | undefined;
  /** Encrypts the private key in that directory, the first one too; 8 characters or more. */
  keyRotationPassword?: string | Bytes | undefined;
}

/** Options of {@link SecureCompletionClient}. */
export interface ClientConfig extends Omit<ChatConfig, 'baseUrl'> {
  /** `https://api.nomyo.ai` by default. */
  routerUrl?: string | undefined;
  /** Accepted without effect: every pair has 4096 bits. Any other size is {@link ArgumentError}. */
  keySize?: 2048 | 4096 | undefined;
}

/** An encrypted request: the body to POST. It must go out with `headers`, under its `payloadId`. */
export type EncryptedPayload = ArrayBuffer & { readonly headers: Record<string, string>; readonly payloadId: string };

/** A request with the tier and the API key of this one call. */
export type SdkRequest = ChatRequest & { security_tier?: SecurityTier | undefined; api_key?: string | undefined };

/** Encrypted chat, with the interface of nomyo-js. Create one, share it in its thread, and dispose of it at the end. */
export class SecureChatCompletion {
  constructor(config?: ChatConfig);

  /**
   * Sends a chat request. `security_tier` and `api_key` among its members act on this call; all others are parameters of
   * the request.
   */
  create(request: SdkRequest, options?: Limits): Promise<ChatCompletion>;

  /** The same as create(). */
  acreate(request: SdkRequest, options?: Limits): Promise<ChatCompletion>;

  /** Wipes the keys and closes the connections; calls under way go on. */
  dispose(): void;

  /** The same as dispose(), for `using`. Absent in a runtime that has no `Symbol.dispose`. */
  [Symbol.dispose](): void;
}

/** Keys, encryption and HTTP below {@link SecureChatCompletion}. */
export class SecureCompletionClient {
  constructor(config?: ClientConfig);

  /** Makes a new pair. What is in `keyDir` (`client_keys` by default) is not overwritten: {@link ClientKeyError}. */
  generateKeys(options?: {
    keySize?: 2048 | 4096 | undefined;
    saveToFile?: boolean | undefined;
    keyDir?: Path | undefined;
    password?: string | Bytes | undefined;
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
    options?: Limits,
  ): Promise<ChatCompletion>;

  /** Wipes the keys and closes the connections; calls under way go on. */
  dispose(): void;
}

// The exceptions: part of index.d.ts, which is what a program imports.

/// <reference types="node" />

/** The library's names for what happened. */
export type Status =
  | 'NOMYO_ERR_ARGUMENT'
  | 'NOMYO_ERR_FORKED'
  | 'NOMYO_ERR_CANCELLED'
  | 'NOMYO_ERR_CONNECTION'
  | 'NOMYO_ERR_TIMEOUT'
  | 'NOMYO_ERR_PROTOCOL'
  | 'NOMYO_ERR_BAD_REQUEST'
  | 'NOMYO_ERR_AUTHENTICATION'
  | 'NOMYO_ERR_FORBIDDEN'
  | 'NOMYO_ERR_NOT_FOUND'
  | 'NOMYO_ERR_RATE_LIMIT'
  | 'NOMYO_ERR_SERVER'
  | 'NOMYO_ERR_UNAVAILABLE'
  | 'NOMYO_ERR_HTTP'
  | 'NOMYO_ERR_ATTESTATION'
  | 'NOMYO_ERR_SECURITY'
  | 'NOMYO_ERR_PIN'
  | 'NOMYO_ERR_KEY'
  | 'NOMYO_ERR_IO'
  | 'NOMYO_ERR_MEMORY'
  | 'NOMYO_ERR_INTERNAL';

/** A call failed. The message says what happened and what to do; it never holds prompts, keys or the server's words. */
export class NomyoError extends Error {
  constructor(message?: string, statusCode?: number, errorDetails?: Record<string, unknown>);

  /** The library's name for what happened, such as `NOMYO_ERR_PIN`. */
  status: Status;
  /** The same; `ABORT_ERR` for a call that was cancelled. */
  readonly code: Status | 'ABORT_ERR';
  /** The HTTP status of the server's answer, if there was one. */
  statusCode: number | undefined;
  /** The body of the server's error answer, if it is a JSON object. UNTRUSTED, like `details`. */
  errorDetails: Record<string, unknown> | undefined;
  /** The body of the server's error answer. UNTRUSTED: nobody has authenticated it. */
  details: Buffer | null;
  /** Whether the same call may succeed if it is repeated soon. */
  retryable: boolean;
  /** How many milliseconds the server asked to wait, if it did. */
  retryAfterMs: number | null;
  /** How many times the request was sent; if it was never sent, how many times the server's key was fetched. */
  attempts: number;
  /**
   * Whether the request left this process. Methods that send no request have `no`.
   *
   * - `no`: no byte of the request left.
   * - `maybe`: an attempt left and was not answered. The server may have processed the request.
   * - `yes`: every attempt that left was answered. This error tells the last answer.
   */
  sent: 'no' | 'maybe' | 'yes';
  /** The id that the server knows the request by; null if no request was sealed. */
  payloadId: string | null;
  /** The `X-Request-ID` of the last HTTP response, for a gateway's log; null if it had none. Nobody has authenticated it. */
  requestId: string | null;
  /**
   * The headers of the last HTTP response, their names in small letters; none if there was no response. Nobody has authenticated
   * them. The property is not enumerable, so that a logger of errors does not write it.
   */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** An argument cannot be used, or a closed client or answer was used. */
export class ArgumentError extends NomyoError {}
/** A client was used in a forked child of the process that made it. */
export class ForkedError extends NomyoError {}
/** The call's signal was aborted; `cause` is its reason, and `name` is `AbortError`. */
export class CancelledError extends NomyoError {}
/** No answer: DNS, TCP, TLS, a reset. `sent` tells whether the request may have reached the server. */
export class APIConnectionError extends NomyoError {}
/** A time limit has passed. `sent` tells whether the server may still be working on the request. */
export class APITimeoutError extends APIConnectionError {}
/** The server's key or answer is not what the protocol has. */
export class ProtocolError extends APIConnectionError {}
/** The server answered with an HTTP status other than 200: `statusCode`. */
export class APIError extends NomyoError {}
/** HTTP 400. */
export class InvalidRequestError extends APIError {}
/** HTTP 401: missing or wrong API key. */
export class AuthenticationError extends APIError {}
/** HTTP 403: not allowed at the requested security tier. */
export class ForbiddenError extends APIError {}
/** HTTP 429: too many requests. */
export class RateLimitError extends APIError {}
/** HTTP 500. */
export class ServerError extends APIError {}
/** HTTP 503. */
export class ServiceUnavailableError extends APIError {}
/** Plain http, an answer that does not decrypt, belongs to another request or was made at a lower tier. */
export class SecurityError extends NomyoError {}
/** The server's key, or its certificate chain, has none of the pins. The request was not encrypted for that key. */
export class PinError extends SecurityError {}
/** The attestation policy requires more than the answer proves; the answer is withheld. */
export class AttestationError extends SecurityError {}
/** A client key is missing, unreadable, unsafe or too weak. */
export class ClientKeyError extends NomyoError {}
/** A file could not be read or written. */
export class FileError extends NomyoError {}
/** There is no memory or thread for the call, or no view in this runtime. */
export class OutOfMemoryError extends NomyoError {}
/** A bug in the library. The client that met it refuses to work from then on. */
export class InternalError extends NomyoError {}

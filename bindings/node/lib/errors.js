'use strict';

// The exceptions of nomyo-js, those that it lacks, and the way to them from the library's statuses.

const { headersOf } = require('./headers.js');

/** A call failed. The message says what happened and what to do; it never holds prompts, keys or the server's words. */
class NomyoError extends Error {
  /** The library's name for what happened. */
  status = 'NOMYO_ERR_INTERNAL';
  retryable = false;
  retryAfterMs = null;
  attempts = 0;
  /** Whether the request has left: 'no', 'maybe' or 'yes'. */
  sent = 'no';
  payloadId = null;
  requestId = null;

  constructor(message = '', statusCode = undefined, errorDetails = undefined) {
    super(message);
    this.statusCode = statusCode;
    // The server's words, which may repeat the request: whoever logs an error does not log them.
    Object.defineProperty(this, 'errorDetails', { value: errorDetails, writable: true, configurable: true });
    Object.defineProperty(this, 'details', { value: null, writable: true, configurable: true });
    Object.defineProperty(this, 'headers', { value: headersOf([]), writable: true, configurable: true });
  }

  /** What Node's own errors have: the status, for a program that looks at one attribute only. */
  get code() {
    return this.status;
  }

  get name() {
    return this.constructor.name;
  }
}

class ArgumentError extends NomyoError {
  status = 'NOMYO_ERR_ARGUMENT';
}

class ForkedError extends NomyoError {
  status = 'NOMYO_ERR_FORKED';
}

class CancelledError extends NomyoError {
  status = 'NOMYO_ERR_CANCELLED';

  get code() {
    return 'ABORT_ERR';
  }

  get name() {
    return 'AbortError';
  }
}

class APIConnectionError extends NomyoError {
  status = 'NOMYO_ERR_CONNECTION';
}

class APITimeoutError extends APIConnectionError {
  status = 'NOMYO_ERR_TIMEOUT';
}

class ProtocolError extends APIConnectionError {
  status = 'NOMYO_ERR_PROTOCOL';
}

class APIError extends NomyoError {
  /** What a class that is for one HTTP status stands for. */
  static statusCode = undefined;
  status = 'NOMYO_ERR_HTTP';

  constructor(message, statusCode = new.target.statusCode, errorDetails = undefined) {
    super(message, statusCode, errorDetails);
  }
}

class InvalidRequestError extends APIError {
  static statusCode = 400;
  status = 'NOMYO_ERR_BAD_REQUEST';
}

class AuthenticationError extends APIError {
  static statusCode = 401;
  status = 'NOMYO_ERR_AUTHENTICATION';
}

class ForbiddenError extends APIError {
  static statusCode = 403;
  status = 'NOMYO_ERR_FORBIDDEN';
}

class RateLimitError extends APIError {
  static statusCode = 429;
  status = 'NOMYO_ERR_RATE_LIMIT';
}

class ServerError extends APIError {
  static statusCode = 500;
  status = 'NOMYO_ERR_SERVER';
}

class ServiceUnavailableError extends APIError {
  static statusCode = 503;
  status = 'NOMYO_ERR_UNAVAILABLE';
}

class SecurityError extends NomyoError {
  status = 'NOMYO_ERR_SECURITY';
}

class PinError extends SecurityError {
  status = 'NOMYO_ERR_PIN';
}

class AttestationError extends SecurityError {
  status = 'NOMYO_ERR_ATTESTATION';
}

class ClientKeyError extends NomyoError {
  status = 'NOMYO_ERR_KEY';
}

class FileError extends NomyoError {
  status = 'NOMYO_ERR_IO';
}

class OutOfMemoryError extends NomyoError {
  status = 'NOMYO_ERR_MEMORY';
}

class InternalError extends NomyoError {}

const classes = {
  NomyoError,
  ArgumentError,
  ForkedError,
  CancelledError,
  APIConnectionError,
  APITimeoutError,
  ProtocolError,
  APIError,
  InvalidRequestError,
  AuthenticationError,
  ForbiddenError,
  RateLimitError,
  ServerError,
  ServiceUnavailableError,
  SecurityError,
  PinError,
  AttestationError,
  ClientKeyError,
  FileError,
  OutOfMemoryError,
  InternalError,
};

// 404 has no class of its own, since the SDK has none. APIError stands for that and for all other HTTP statuses.
const byStatus = new Map([['NOMYO_ERR_NOT_FOUND', APIError]]);
for (const kind of Object.values(classes)) {
  if (kind !== NomyoError) byStatus.set(new kind('').status, kind);
}

/** The exception for what the addon says of a failed call. */
function errorOf(failure) {
  const kind = byStatus.get(failure.status) ?? NomyoError;
  const error = new kind(failure.message, failure.httpStatus ?? undefined, objectIn(failure.details));
  error.status = failure.status;
  error.details = failure.details ?? null;
  error.retryable = failure.retryable;
  error.retryAfterMs = failure.retryAfterMs ?? null;
  error.attempts = failure.attempts;
  error.sent = failure.sent;
  error.payloadId = failure.payloadId ?? null;
  error.requestId = failure.requestId ?? null;
  error.headers = headersOf(failure.headers);
  return error;
}

/** The value of an outcome, or its exception. */
function valueOf(outcome) {
  if (outcome.failure) throw errorOf(outcome.failure);
  return outcome.value;
}

function objectIn(body) {
  if (!body) return undefined;
  try {
    const parsed = JSON.parse(body.toString());
    return parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { classes, errorOf, valueOf };

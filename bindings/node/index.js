'use strict';

const native = require('./lib/native.js');
const { verifyAttestation } = require('./lib/attestation.js');
const { Client } = require('./lib/client.js');
const { classes } = require('./lib/errors.js');
const { getMemoryProtectionInfo, lock, secureAlloc, unlock, zero } = require('./lib/memory.js');
const { Response } = require('./lib/response.js');
const { Sealed } = require('./lib/sealed.js');
const { SecureChatCompletion, SecureCompletionClient } = require('./lib/sdk.js');

const version = native.version();
const { NomyoError, ArgumentError, CancelledError, ForkedError, InternalError, OutOfMemoryError } = classes;
const { APIConnectionError, APITimeoutError, ProtocolError } = classes;
const { APIError, InvalidRequestError, AuthenticationError, ForbiddenError } = classes;
const { RateLimitError, ServerError, ServiceUnavailableError } = classes;
const { SecurityError, PinError, AttestationError, ClientKeyError, FileError } = classes;

// Plain names and nothing else, or `import { Client } from 'nomyo-native'` does not find them.
module.exports = {
  APIConnectionError,
  APIError,
  APITimeoutError,
  ArgumentError,
  AttestationError,
  AuthenticationError,
  CancelledError,
  Client,
  ClientKeyError,
  FileError,
  ForbiddenError,
  ForkedError,
  InternalError,
  InvalidRequestError,
  NomyoError,
  OutOfMemoryError,
  PinError,
  ProtocolError,
  RateLimitError,
  Response,
  Sealed,
  SecureChatCompletion,
  SecureCompletionClient,
  SecurityError,
  ServerError,
  ServiceUnavailableError,
  getMemoryProtectionInfo,
  lock,
  secureAlloc,
  unlock,
  verifyAttestation,
  version,
  zero,
};

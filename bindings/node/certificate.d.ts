// The client's certificate, for mutual TLS.

import type { Path } from './index.js';

/**
 * A client certificate and its private key: two PEM texts, or the paths of two PEM files. The intermediate certificates follow the
 * client's own. The key is RSA, ECDSA or Ed25519, without encryption, and is not sent. Only its owner may be able to read a key file.
 */
export type ClientCertificate =
  | { certificate: string | Uint8Array; key: string | Uint8Array }
  | { certificateFile: Path; keyFile: Path };

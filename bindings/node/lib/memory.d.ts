import type { Bytes } from '../index.js';

/** What protects memory in this process, in the shape of nomyo-js. */
export interface ProtectionInfo {
  /** Whether a page could be locked just now. */
  canLock: boolean;
  /** Whether, besides, all of the library's own memory is locked and kept out of core dumps. */
  isPlatformSecure: boolean;
  /** `'mlock'` where pages can be locked, `'zero-only'` where buffers can only be zeroed. Never `'none'`. */
  method: 'mlock' | 'zero-only' | 'none';
  /** The figures behind it, and what to do about a refusal. For people: the text is not stable. */
  details: string;
}

/**
 * A Buffer over the vault. Views of it, as `subarray()` makes them, are ordinary, and end with it. Printed and written as JSON,
 * it is a text with its length, and not its bytes.
 */
export interface SecureBuffer extends Buffer {
  /**
   * Wipes the bytes at once, gives back the locks, and leaves this Buffer and every view of its memory with length 0.
   * Closing again does nothing.
   *
   * A call in flight that reads or writes the memory meets zeros, and what it writes is wiped when the memory is given
   * back, after it. `node:zlib` alone must be done before: it ends the process when its input is detached.
   */
  close(): void;

  /** The same as close(), for `using`. Absent in a runtime that has no `Symbol.dispose`. */
  [Symbol.dispose](): void;
}

/**
 * Keeps the memory of `data` out of swap: locks the pages that it touches, neighbours on these included. Blocks while the
 * system reads them in, some 30 ms for 100 MiB.
 *
 * Locks nest, and a page is unlocked with its last lock. The buffer is not collected before `unlock()`, so that the lock
 * does not outlive the memory. Transferring it to another thread ends the lock, at the next call with it.
 *
 * @returns true; false when the system refuses (RLIMIT_MEMLOCK), and nothing more is locked than before.
 * @throws TypeError for what holds no bytes (`ERR_INVALID_ARG_TYPE`), what can be resized (`ERR_INVALID_ARG_VALUE`), and
 * what is detached (`ERR_INVALID_STATE`).
 */
export function lock(data: Bytes | SharedArrayBuffer): boolean;

/**
 * Undoes one `lock()` of the same range of the same memory, whatever the view.
 *
 * @returns true.
 * @throws Error (`ERR_INVALID_STATE`) when the range is not locked, or its buffer is detached, whose locks are given back
 * then; TypeError as `lock()`.
 */
export function unlock(data: Bytes | SharedArrayBuffer): boolean;

/**
 * Overwrites the bytes of `data` with zeros, and none beside them. Never optimised away.
 *
 * @throws TypeError for what holds no bytes (`ERR_INVALID_ARG_TYPE`) and what is detached (`ERR_INVALID_STATE`).
 */
export function zero(data: Bytes | SharedArrayBuffer): void;

/**
 * `size` zero bytes of the vault: between guard pages, locked as the memory policy in force asks and the system allows, kept
 * out of core dumps, zeros in a forked child. They are wiped when the Buffer is closed, when it is collected, and when its
 * worker ends. They cannot be transferred to another thread.
 *
 * Takes at least four pages of addresses, and four of the process's mappings (65 530 by default). What is closed gives back
 * its memory and its lock at once, and its addresses when it is collected, for which the event loop has to turn.
 *
 * @throws TypeError (`ERR_INVALID_ARG_TYPE`) or RangeError (`ERR_OUT_OF_RANGE`) for what is no size; OutOfMemoryError;
 * SecurityError: a client requires locks, and the system refuses one; Error: this runtime (Electron) has no buffers over
 * memory that is not its own.
 */
export function secureAlloc(size: number): SecureBuffer;

/** What really protects memory: a page is locked and unlocked to find out. */
export function getMemoryProtectionInfo(): ProtectionInfo;

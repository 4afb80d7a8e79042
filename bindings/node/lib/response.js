'use strict';

// A decrypted answer.

const native = require('./native.js');
const { integer, string } = require('./arguments.js');
const { classes } = require('./errors.js');
const { headersOf } = require('./headers.js');
const { verdictOf } = require('./attestation.js');
const { opaque } = require('./opaque.js');

const MEMBERS = ['content', 'reasoning', 'toolCalls', 'finishReason'];

/** The memory of each view: it lives as long as the ArrayBuffer, detached or not, for the sake of calls in flight. */
const blocks = new WeakMap();

class Response {
  #native;
  #choiceCount;
  /** The array of `choices`, from its first use on. */
  #choices = null;
  /** The ArrayBuffers of the views: for each place in the answer the last one, as long as somebody has it. */
  #views = new Map();

  constructor(answer) {
    if (!(answer instanceof native.NativeResponse)) throw new TypeError('a Response comes from create() or open()');
    this.#native = answer;
    this.#choiceCount = answer.weigh();
    if (Symbol.dispose) Object.defineProperty(this, Symbol.dispose, { value: this.close });
  }

  json() {
    return JSON.parse(this.#open().text('', 0));
  }

  /** What JSON.stringify() writes, and with it `response.json(answer)` of a web framework. */
  toJSON() {
    return this.json();
  }

  get choices() {
    const open = this.#open();
    this.#choices ??= this.#choiceCount === 0 ? [] : JSON.parse(open.text('/choices', 0));
    return this.#choices;
  }

  get choiceCount() {
    this.#open();
    return this.#choiceCount;
  }

  get usage() {
    return this.pointer('/usage') ?? undefined;
  }

  content(choice = 0) {
    return this.#member('content', choice);
  }

  reasoning(choice = 0) {
    return this.#member('reasoning', choice);
  }

  toolCalls(choice = 0) {
    const json = this.#member('toolCalls', choice);
    return json === null ? null : JSON.parse(json);
  }

  finishReason(choice = 0) {
    return this.#member('finishReason', choice);
  }

  pointer(rfc6901) {
    const open = this.#open();
    const pointer = string(rfc6901, 'pointer');
    // The names of members are no pointers: these are empty or begin with a slash.
    const json = pointer === '' || pointer.startsWith('/') ? open.text(pointer, 0) : null;
    return json === null ? undefined : JSON.parse(json);
  }

  get payloadId() {
    return this.#open().payloadId();
  }

  get requestId() {
    return this.#open().requestId() ?? null;
  }

  get headers() {
    return headersOf(this.#open().headers());
  }

  get attempts() {
    return this.#open().attempts();
  }

  get attestation() {
    return verdictOf(this.#open().attestation());
  }

  get attestationReport() {
    return JSON.parse(this.#open().attestationReport());
  }

  view(what = '', choice = 0) {
    const open = this.#open();
    if (MEMBERS.includes(string(what, 'what'))) this.#checkChoice(choice);
    else if (what !== '' && !what.startsWith('/')) {
      throw new classes.ArgumentError(`what is one of ${MEMBERS.join(', ')}, or a JSON pointer: "" or "/..."`);
    }
    const key = `${choice} ${what}`;
    let buffer = this.#views.get(key)?.deref();
    // One whose contents were moved elsewhere is of no use any more.
    if (buffer === undefined || buffer.byteLength === 0) {
      const made = open.view(what, choice);
      if (made === null) return null;
      if (typeof made === 'string') throw new classes.OutOfMemoryError(made);
      const [memory, block] = made;
      blocks.set(memory, block);
      buffer = memory;
      this.#views.set(key, new WeakRef(buffer));
    }
    return opaque(Buffer.from(buffer), 'view');
  }

  close() {
    if (this.#native === null) return;
    for (const view of this.#views.values()) {
      const buffer = view.deref();
      if (buffer !== undefined && buffer.byteLength > 0) native.detach(buffer);
    }
    this.#views.clear();
    this.#choices = null;
    this.#native.close();
    this.#native = null;
  }

  get closed() {
    return this.#native === null;
  }

  #open() {
    if (this.#native === null) throw new classes.ArgumentError('the answer is closed');
    return this.#native;
  }

  #member(what, choice) {
    const open = this.#open();
    this.#checkChoice(choice);
    return open.text(what, choice);
  }

  #checkChoice(choice) {
    if (integer(choice, 'choice') >= this.#choiceCount) {
      throw new RangeError(`the answer has no choice ${choice}: it has ${this.#choiceCount}`);
    }
  }
}

module.exports = { Response };

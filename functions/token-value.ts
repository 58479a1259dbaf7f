import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * A credential's plaintext. It prints as `[token]` wherever values end up by accident: string
 * templates, JSON, `console`, `util.inspect` (with `showHidden` too) and error causes. Whoever
 * calls `reveal()` is on the complete list of places that can leak it.
 */
export class TokenValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** First 16 hex digits of SHA-256: tells whose a leaked string is and gives nothing away. */
  fingerprint(): string {
    return createHash('sha256').update(this.#value).digest('hex').slice(0, 16);
  }

  toString(): string {
    return '[token]';
  }

  toJSON(): string {
    return '[token]';
  }

  [inspect.custom](): string {
    return '[token]';
  }
}

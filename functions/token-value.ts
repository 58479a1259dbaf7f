import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * The plaintext of a credential. It prints as `[token]` in string templates, JSON, `console`,
 * `util.inspect` (with `showHidden` too) and error causes. Only the callers of `reveal()` can leak it.
 */
export class TokenValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** First 16 hex digits of SHA-256: it identifies a leaked string and reveals nothing of it. */
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

import { hash } from 'node:crypto';

/** A rotation is early by up to this part of `rotateEvery`. */
export const HIGHEST_JITTER = 0.1;

/**
 * How much earlier than `rotateEvery` a token is rotated, in milliseconds. It comes from a hash of the
 * secret's name, so that many secrets are not rotated at once, none is late, and every run gives the same
 * answer (a random number in every run could postpone a rotation for ever).
 */
export function jitterOf(secretName: string, rotateEvery: number): number {
  return Math.floor(fractionOf(secretName) * HIGHEST_JITTER * rotateEvery);
}

/** A number from 0, below 1, from a hash of a name: always the same one for the same name. */
export const fractionOf = (name: string): number =>
  hash('sha256', name, 'buffer').readUInt32BE() / 2 ** 32;

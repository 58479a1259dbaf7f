import { createHash } from 'node:crypto';

/** Rotation comes early by up to this share of `rotateEvery`. */
export const HIGHEST_JITTER = 0.1;

/**
 * How much earlier than `rotateEvery` a token rotates, in milliseconds. Drawn from a hash of its
 * name: a fleet spreads by itself, never runs late, and every run gives the same answer (a fresh
 * draw on each look could put a rotation off for ever).
 */
export function jitterOf(tokenName: string, rotateEvery: number): number {
  return Math.floor(drawOf(tokenName) * HIGHEST_JITTER * rotateEvery);
}

/** A number from 0 up to 1 that a name draws, the same one every time. */
export const drawOf = (name: string): number =>
  createHash('sha256').update(name).digest().readUInt32BE() / 2 ** 32;

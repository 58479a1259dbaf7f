import { createHash } from 'node:crypto';

/** Chance that is the same for the same seed, on every machine. */
export interface Chance {
  /** From 0 up to 1. */
  next(): number;
  /** A whole number, both bounds included. */
  between(least: number, most: number): number;
  happens(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Some of a list, each with this probability, in the same order. */
  some<T>(list: readonly T[], probability: number): T[];
  /** Chance of its own for one purpose: what is drawn for another does not change it. */
  of(purpose: string | number): Chance;
}

/** sfc32, by Chris Doty-Humphrey (PractRand); public domain. */
function sfc32(seed: Buffer): () => number {
  let [a, b, c, counter] = [0, 4, 8, 12].map((at) => seed.readInt32LE(at)) as [
    number,
    number,
    number,
    number,
  ];
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 2 ** 32;
  };
}

export function createChance(seed: string): Chance {
  const next = sfc32(createHash('sha256').update(seed).digest());
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    happens: (probability) => next() < probability,
    pick: (list) => list[between(0, list.length - 1)] as (typeof list)[number],
    some: (list, probability) => list.filter(() => next() < probability),
    of: (purpose) => createChance(`${seed}/${purpose}`),
  };
}

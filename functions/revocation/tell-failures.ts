import { saidOf } from '../run/message-of.ts';
import type { ObservedToken } from '../tokens/observation.ts';
import { works } from '../tokens/state.ts';
import { NotDeletedError } from './delete-token.ts';
import { resultOf, type TokenResult } from './end-token.ts';
import type { RevocationWay } from './request.ts';

/** What was not done. */
export interface Failure {
  /** The kind of the action. */
  readonly what: string;
  /** The secret, or the token. */
  readonly where: string;
  /** Absent: it is about a whole secret. */
  readonly tokenId?: string | undefined;
  readonly error: unknown;
}

/** The result for a token that was to be ended, or to get its permissions back, and was not. */
export function failedResult(
  observed: ObservedToken,
  wasGiving: boolean,
  why: unknown,
  now: number,
): TokenResult {
  if (why instanceof NotDeletedError)
    return { ...resultOf(observed, 'failed'), unconfirmed: why.message };
  const isAlive = works(observed.token, now);
  const left = isAlive ? 'it was not ended, and may still work' : 'it was not ended';
  const unconfirmed = `${wasGiving ? 'its permissions were not given back' : left}: ${why}`;
  return { ...resultOf(observed, 'failed'), unconfirmed };
}

/** How many names a sentence has where the report names all of them. */
export const MOST_NAMED = 5;

function named(all: Iterable<string>, most: number): string {
  const names = [...new Set(all)].sort();
  const more = names.length - most;
  const rest = more > 0 ? ` and ${more} more, which the report names` : '';
  return `${names.slice(0, most).join(', ')}${rest}`;
}

/** Failures of one kind are told once, with the secrets or tokens at which they happened. */
export function toldOnce(failures: readonly Failure[], most: number): string[] {
  const textOf = ({ what, error }: Failure) => `${what}: ${saidOf(error)}`;
  const alike = Map.groupBy(failures, (each) => {
    const names = [each.where, each.tokenId].filter((name) => name !== undefined);
    return names.reduce((text, name) => text.replaceAll(name, '…'), textOf(each));
  });
  return [...alike].flatMap(([text, [first, ...others]]) => {
    if (!first) return [];
    if (others.length === 0) return `${textOf(first)} (${first.where})`;
    const names = named(
      [first, ...others].map(({ where }) => where),
      most,
    );
    return `${text} (${others.length + 1} times, ${names})`;
  });
}

const byName = (way: string) =>
  `to cut them off now, order each by its name or id (--secret, --token-id) with ${way}`;

/** What cuts off what another way did not end. */
const CUTS_OFF: Partial<Record<RevocationWay, string>> = {
  replace: byName('"way": "freeze" (--freeze)'),
  delete: byName('"way": "freeze" (--freeze)'),
  freeze: byName('"way": "delete" (--delete)'),
  lift: byName('"way": "delete" (--delete)'),
};

/** A secret on the hold of its deletion takes no freeze. */
const CONDEMNED = 'to cut them off, give the same order again';

/**
 * That old strings may still work, and what cuts them off.
 * @param alive secrets, and ids of tokens
 * @param secrets all that the order means
 */
export function mayStillWork(
  alive: readonly string[],
  { way, secrets }: { readonly way: RevocationWay; readonly secrets: readonly string[] },
  most: number,
): string[] {
  const cut = (name: string) =>
    way === 'delete' && secrets.includes(name) ? CONDEMNED : CUTS_OFF[way];
  return [...Map.groupBy(alive, cut)].flatMap(([how, names]) =>
    how === undefined ? [] : `old strings of ${named(names, most)} may still work; ${how}`,
  );
}

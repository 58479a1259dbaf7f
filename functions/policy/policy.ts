import type { Permission } from '../management-api/token.ts';
import type { Document } from './document.ts';
import type { Window } from './window.ts';

/** Where a secret is that no entry gave a name of its own; it may be changed though its entry left the policy. */
export const secretPrefix = (owner: string) => `keyturn/${owner}/`;

/** When a token rotates, expires and is retired. */
export interface Lifetimes {
  readonly rotateEvery: number;
  readonly renewBefore: number;
  /** Absent: minted without an expiry. */
  readonly expiresAfter?: number;
  readonly gracePeriod: number;
  readonly quarantine: number;
  readonly windows: readonly Window[];
}

/** One token that the policy asks for, with every default filled in. */
export interface TokenPolicy extends Lifetimes {
  readonly name: string;
  /** Name of its secret, which is the token's identity. */
  readonly secret: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  readonly adopt?: { readonly tokenId: string; readonly key?: string | undefined };
}

/** A checked policy with its defaults filled in; durations in milliseconds. */
export interface Policy extends Omit<Document, 'tokens' | 'defaults'> {
  /** Name of the file that it was written in, for whoever reads a plan. */
  readonly file: string;
  /** For owned tokens whose entry left the policy. */
  readonly defaults: Lifetimes;
  readonly tokens: readonly TokenPolicy[];
}

type Entries = Pick<Policy, 'tokens'>;

const entries = new WeakMap<Entries, ReadonlyMap<string, TokenPolicy>>();

/** The entry whose secret this is; undefined: none, or none any longer. */
export function entryOf(policy: Entries, secret: string): TokenPolicy | undefined {
  const known = entries.get(policy) ?? new Map(policy.tokens.map((each) => [each.secret, each]));
  entries.set(policy, known);
  return known.get(secret);
}

/** The databases that rules name; a database that only a glob matches is not among them. */
export const namedDatabases = ({ databases }: Pick<Policy, 'databases'>): readonly string[] =>
  databases.flatMap((rule) => ('name' in rule ? [rule.name] : []));

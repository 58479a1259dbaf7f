import type { Gift } from '../history/happening.ts';

/** As docs/glossary.md calls the states of a token. `unknown`: nothing tells what it is. */
export type TokenState =
  | ('inert' | 'pending' | 'live' | 'current' | 'superseded')
  | ('quarantined' | 'frozen' | 'expired' | 'unknown');

/** A token in one state. Instants are milliseconds since 1970. */
export interface Span {
  readonly state: TokenState;
  readonly from: number;
  /** Absent: it is so now. */
  readonly until?: number;
}

/** One token, from its minting to its deletion, as far as anything tells of them. */
export interface Life {
  readonly tokenId: string;
  /** Absent: nothing tells it, as of a token of others. Another one of a name says so. */
  readonly secret?: string;
  /** One behind the other, without gaps. */
  readonly spans: readonly Span[];
  /** Absent: nothing tells when it was minted; what is told begins with its first span. */
  readonly mintedAt?: number;
  readonly endedAt?: number;
  /** What is to be known beside the spans. */
  readonly notes: readonly string[];
}

/** Without permissions for now; what it was before it is again when they are given back. */
export const SUSPENDED: readonly TokenState[] = ['quarantined', 'frozen'];

/** What is told of one token, in order of time. */
export interface Told extends Omit<Life, 'spans' | 'notes'> {
  readonly spans: Span[];
  readonly notes: string[];
  /** Its secret is not listed as ours. */
  readonly isElsewhere?: boolean;
  /** Its permissions were given back before: they may be told of twice. */
  readonly isGivenBack?: boolean;
}

/** Who had AWSCURRENT when that was told last. Without a token: a string that nobody knows. */
export interface Holder {
  readonly tokenId?: string | undefined;
  readonly at: number;
  /** Somebody saved its string. */
  readonly gave?: Gift | undefined;
  /** The token over which a string was saved of which nothing tells yet whose it is: people save a secret as it is, too. */
  readonly overId?: string | undefined;
  /** Since then another may have it: somebody may have saved a string, or a token that waited may have been promoted. */
  readonly doubtAt?: number | undefined;
  /** When a run saw after that that it still had it, or again. */
  readonly quietAt?: number | undefined;
  /** That token, if nothing else may have it. */
  readonly nextId?: string | undefined;
  /** When its token was superseded, and nothing tells by which. */
  readonly leftAt?: number;
}

/** All that was told until then, by token and by secret. */
export interface Story {
  readonly lives: Map<string, Told>;
  readonly holders: Map<string, Holder>;
  /** When a string was saved last, or found, that AWSCURRENT got. */
  readonly saves: Map<string, number>;
  /** Whether every log could be read: then no promotion is missing. */
  readonly isWhole: boolean;
}

export const toldOf = ({ lives }: Story, tokenId: string): Told =>
  lives.get(tokenId) ?? { tokenId, spans: [], notes: [] };

export const isSuspended = ({ spans }: Pick<Told, 'spans'>) =>
  SUSPENDED.some((state) => state === spans.at(-1)?.state);
/** What has ended enters nothing. */
export function enter({ spans, endedAt }: Told, state: TokenState, at: number): void {
  const last = spans.at(-1);
  if (endedAt !== undefined || last?.state === state) return;
  if (last) {
    // It was stored and armed before it was promoted, and nothing tells when.
    const was = last.state === 'inert' && state === 'current' ? 'unknown' : last.state;
    // The clock of its cluster may be ahead: what comes behind its minting has an instant of ours.
    const from = last.state === 'inert' ? Math.min(at, last.from) : last.from;
    spans[spans.length - 1] = { state: was, from, until: Math.max(at, from) };
  }
  spans.push({ state, from: Math.max(at, spans.at(-1)?.from ?? at) });
}

import type { LaterField } from '../world/older-version.ts';
import type { DatabaseAct, Rule } from './databases.ts';
import type { ReplicaAct } from './replicas.ts';

/** A call of one system during some time: what happens to it, and how often. */
export interface Weather {
  readonly kind: 'weather';
  readonly system: 'cluster' | 'data-plane' | 'aws';
  readonly how:
    | 'error before'
    | 'error after'
    | 'reset before'
    | 'reset after'
    | 'slow'
    /** The answer comes when nobody waits for it any more. */
    | 'late'
    | 'throttled'
    /** The page of a proxy that finds no server. */
    | 'page'
    /** Descriptions of secrets say of copies that they are under way. */
    | 'under way';
  /** Of the calls that are met. */
  readonly share: number;
  readonly lastsMs: number;
}

/** Reads of Secrets Manager show the past for some time. */
interface Lag {
  readonly kind: 'lag';
  readonly readLagMs: number;
  readonly listLagMs: number;
  readonly lastsMs: number;
}

/** Listings of tokens are cut, and say nothing of it. */
interface Cut {
  readonly kind: 'cut listings';
  readonly longestListing: number;
  readonly lastsMs: number;
}

/** The process that makes the next call of this number dies there. */
interface Death {
  readonly kind: 'death';
  readonly call: number;
  readonly isAfter: boolean;
}

/** The process that makes the next call of this number is frozen there, before it takes effect or before it hears of it. */
interface Freeze {
  readonly kind: 'freeze';
  readonly call: number;
  readonly isAfter: boolean;
  readonly lastsMs: number;
}

/** A person does something in a console. */
interface Hand {
  readonly kind: 'hand';
  readonly act: string;
  readonly token: number;
  /** While a function waits for the answer to its call of that number from now on, whatever it is about. */
  readonly call?: number;
  /** The same, of those that write the secret or a token of it: behind what the run looked at. */
  readonly write?: number;
  /** Somebody else asks for a rotation at the same time. */
  readonly forces?: true;
}

interface Order {
  readonly kind: 'order';
  readonly way: 'replace' | 'freeze' | 'unfreeze' | 'delete' | 'lift';
  readonly token: number;
  readonly immediately?: true;
}

/** Somebody deploys another policy. */
interface Deploy {
  readonly kind: 'deploy';
  readonly change: 'wider' | 'narrower' | 'removed' | 'as it was' | 'sooner' | 'retiring';
  readonly token: number;
}

/** Somebody deploys the same policy by another version: the present one, or one that does not know a field of markers. */
interface Version {
  readonly kind: 'version';
  readonly lacks?: LaterField;
}

/** A person does something to a database. */
type DatabaseHand = DatabaseAct & {
  readonly kind: 'database';
  /** Behind the look of a run of `enforce`, which a person starts at the same time: at its write of that number. */
  readonly write?: number;
};

/** A person does something to a secret's copy in another Region. */
interface ReplicaHand {
  readonly kind: 'replica';
  readonly act: ReplicaAct;
  readonly token: number;
  readonly region: string;
}

/** Somebody deploys the same policy with another rule for a database. */
interface Rules {
  readonly kind: 'rule';
  readonly rule: Rule;
}

/** A person starts a job by hand. */
interface ByHand {
  readonly kind: 'by hand';
  readonly job: 'rotate' | 'reap';
  readonly token?: number;
}

/** For some time the schedules fire otherwise than they should. */
interface Firing {
  readonly kind: 'firing';
  readonly how: 'late' | 'twice' | 'never';
  readonly share: number;
  readonly lastsMs: number;
}

/** People mint tokens that are none of ours. */
interface Minting {
  readonly kind: 'tokens of others';
}

export type Trouble = { readonly at: number } & (
  | Weather
  | Lag
  | Cut
  | Death
  | Freeze
  | Hand
  | Order
  | Deploy
  | Version
  | ByHand
  | Firing
  | Minting
  | DatabaseHand
  | Rules
  | ReplicaHand
);

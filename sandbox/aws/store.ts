import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { invalidParameter, invalidRequest, notFound } from './aws-error.ts';
import { labelEvents } from './label-events.ts';
import { emptyLogs, type Logs } from './logs.ts';
import { refuseBadName } from './secret-name.ts';
import {
  type AwsState,
  emptyState,
  type PastSecret,
  type PublishedEvent,
  type Secret,
} from './state.ts';

/** The longest lag of reads that can be set later. */
const HISTORY_MS = 900_000;

export interface Store {
  readonly region: string;
  readonly accountId: string;
  readonly state: AwsState;
  /** Whoever runs functions keeps their lines, so they are no part of the state. */
  readonly logs: Logs;
  readLagMs: number;
  listLagMs: number;
  /** Receives every event that a bus takes, as the target of a rule does. */
  onEvent: (event: PublishedEvent) => void;
  now(): number;
  /** A unique hex digest; the same sequence in every run. */
  draw(): string;
  /**
   * Finds a secret by name, ARN, or ARN without its suffix, as it was `lagMs` ago. Throws
   * ResourceNotFoundException.
   */
  find(secretId: string, lagMs?: number): Secret;
  /** Like `find`; also throws InvalidRequestException if the secret is scheduled for deletion. */
  findUsable(secretId: string, lagMs?: number): Secret;
  /** Like `findUsable`, as it is now; also throws InvalidParameterException if it is a replica. */
  findWritable(secretId: string): Secret;
  /** The same secret. Throws InvalidParameterException if it is a replica. */
  refuseReplica(secret: Secret): Secret;
  findByName(name: string): Secret | undefined;
  /** The store of another Region of the account. */
  of(region: string): Store;
  list(lagMs: number): readonly Secret[];
  /** Stores a changed secret and its replicas, sets its LastChangedDate, and publishes the labels that moved. */
  save(secret: Secret): Secret;
  remove(secret: Secret): void;
  /** Records that a version was read. This is no change, so it has no history. */
  touch(secret: Secret, versionId: string): void;
  count(operation: string): void;
  countWrite(operation: string): void;
  /** Returns the event's id. */
  publish(event: Omit<PublishedEvent, 'id'>): string;
  update(change: Partial<Pick<AwsState, 'aliases' | 'eventBuses' | 'keys' | 'schedules'>>): void;
  restore(state: AwsState): void;
}

export function createStore(
  clock: Clock,
  region: string,
  accountId: string,
  of: (region: string) => Store,
): Store {
  let state = copy(emptyState);
  const arnPrefix = `arn:aws:secretsmanager:${region}:${accountId}:secret:`;

  const current = (name: string) => own(state.secrets, name);

  const past = (name: string, at: number) =>
    own(state.history, name)?.findLast((entry) => entry.at <= at)?.secret;

  const lookUp = (name: string, lagMs: number): Secret | undefined => {
    const secret = lagMs > 0 ? past(name, clock.now() - lagMs) : current(name);
    return secret !== undefined && exists(secret, clock.now()) ? secret : undefined;
  };

  const record = (name: string, secret: Secret | undefined) => {
    const at = clock.now();
    const oldest = at - Math.max(HISTORY_MS, store.readLagMs, store.listLagMs);
    const entries = own(state.history, name) ?? [];
    // One entry from before the window stays: it is the state at the start of the window.
    const from = Math.max(
      0,
      entries.findLastIndex((entry) => entry.at <= oldest),
    );
    const kept = entries.slice(from).filter((entry) => entry.at < at);
    state.history[name] = [...kept, { at, secret }];
  };

  const copyTo = (other: string, secret: Secret) => {
    const { kmsKeyId, failure } = secret.replicas[other] ?? {};
    if (failure !== undefined) return;
    const arn = secret.arn.replace(`:${region}:`, `:${other}:`);
    of(other).save({ ...secret, arn, kmsKeyId, replicas: {} });
  };

  const store: Store = {
    region,
    accountId,
    of,
    logs: emptyLogs(),
    readLagMs: 0,
    listLagMs: 0,
    onEvent: () => {},
    get state() {
      return state;
    },
    now: () => clock.now(),
    draw() {
      state.drawn += 1;
      return createHash('sha256').update(`${arnPrefix}${state.drawn}`).digest('hex');
    },
    find(secretId, lagMs = 0) {
      if (!secretId.startsWith('arn:')) refuseBadName(secretId);
      const found = lookUp(nameIn(secretId, arnPrefix), lagMs);
      if (found === undefined || !answersTo(found, secretId))
        throw notFound("Secrets Manager can't find the specified secret.");
      return found;
    },
    findUsable(secretId, lagMs = 0) {
      const secret = store.find(secretId, lagMs);
      if (secret.deletedAt !== undefined)
        throw invalidRequest(
          "You can't perform this operation on the secret because it was marked for deletion.",
        );
      return secret;
    },
    findWritable: (secretId) => store.refuseReplica(store.findUsable(secretId)),
    refuseReplica(secret) {
      const { primaryRegion = region } = secret;
      if (primaryRegion === region) return secret;
      throw invalidParameter(
        "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
      );
    },
    findByName: (name) => lookUp(name, 0),
    list: (lagMs) =>
      Object.keys(lagMs > 0 ? state.history : state.secrets).flatMap(
        (name) => lookUp(name, lagMs) ?? [],
      ),
    save(secret) {
      const time = clock.now();
      const changed = { ...secret, changedAt: time };
      const events = labelEvents(current(secret.name), changed);
      state.secrets[secret.name] = changed;
      record(secret.name, changed);
      for (const event of events) store.publish({ ...event, time });
      for (const other of Object.keys(changed.replicas)) copyTo(other, changed);
      return changed;
    },
    remove({ name }) {
      delete state.secrets[name];
      record(name, undefined);
    },
    touch({ name, arn }, versionId) {
      const secret = current(name);
      const version = secret?.versions[versionId];
      if (secret?.arn !== arn || version === undefined) return;
      const accessedAt = clock.now();
      const versions = { ...secret.versions, [versionId]: { ...version, accessedAt } };
      state.secrets[name] = { ...secret, versions, accessedAt };
    },
    count(operation) {
      state.calls[operation] = (state.calls[operation] ?? 0) + 1;
    },
    countWrite(operation) {
      state.writes[operation] = (state.writes[operation] ?? 0) + 1;
    },
    publish(event) {
      const id = store.draw().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
      // An event for a bus that does not exist gets an id and is lost, without an error, as in AWS.
      if (state.eventBuses.includes(event.bus)) {
        const published = { id, ...event };
        state = { ...state, events: [...state.events, published] };
        store.onEvent(published);
      }
      return id;
    },
    update(change) {
      state = { ...state, ...change };
    },
    restore(saved) {
      state = copy(saved);
    },
  };
  return store;
}

/** Secrets and versions are immutable, so it is enough to copy their containers. */
export const copy = (state: AwsState) => ({
  ...state,
  secrets: { ...state.secrets } as Record<string, Secret>,
  history: { ...state.history } as Record<string, readonly PastSecret[]>,
  calls: { ...state.calls } as Record<string, number>,
  writes: { ...state.writes } as Record<string, number>,
});

/** Only own properties, so that a secret may be named `constructor`. */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

const exists = (secret: Secret, now: number) =>
  secret.deletionAt === undefined || now < secret.deletionAt;

/**
 * What looks like the suffix of an ARN is taken for one: of a secret whose own name ends so, an ARN without the suffix finds
 * nothing.
 */
const nameIn = (secretId: string, arnPrefix: string) =>
  secretId.startsWith(arnPrefix)
    ? secretId.slice(arnPrefix.length).replace(/-[A-Za-z0-9]{6}$/, '')
    : secretId;

const answersTo = (secret: Secret, secretId: string) =>
  secretId === secret.name || secretId === secret.arn || secretId === secret.arn.slice(0, -7);

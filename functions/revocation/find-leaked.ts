import pLimit from 'p-limit';
import type { RunTools } from '../run/tools.ts';
import { findHolder, type HolderSources } from '../tokens/find-holder.ts';
import {
  type Holder,
  type ObservedSecret,
  secretNamedIn,
  sortByOwner,
} from '../tokens/observation.ts';
import { fingerprintReader, stringFinder } from '../tokens/read-fingerprint.ts';
import { tokenIdOf } from '../tokens/state.ts';
import { tokenNamedBy, versionIdOf } from '../tokens/version-id.ts';
import type { RevocationObservation } from './observe.ts';
import { findByFingerprint } from './plan/known-token.ts';
import type { Ended } from './plan/target.ts';
import type { LeakedSearch } from './plan/unknown-string.ts';
import type { RevocationRequest } from './request.ts';

/** A version of a secret. */
interface Version {
  readonly seen: ObservedSecret;
  readonly version: string;
}

type Reading = Pick<RunTools, 'api' | 'secrets' | 'policy' | 'log'>;

const labelled = (seen: ObservedSecret): readonly Version[] =>
  [...new Set(Object.values(seen.secret.labels))].map((version) => ({ seen, version }));

/** Ids of all versions, also of those without a label. Undefined: Secrets Manager does not list them. */
async function allVersions(
  { secret }: ObservedSecret,
  { secrets, log }: Reading,
): Promise<string[] | undefined> {
  try {
    return [...(await secrets.versionTimes(secret.name)).keys()];
  } catch (error) {
    log.warn('the versions could not be listed', { secret: secret.name, error });
    return undefined;
  }
}

/** The versions without a label: an order takes labels off, and what it ended is proven anew when it is repeated. */
async function unlabelled(
  seen: ObservedSecret,
  tools: Reading,
): Promise<readonly Version[] | undefined> {
  const known = new Set(Object.values(seen.secret.labels));
  const all = await allVersions(seen, tools);
  return all?.flatMap((version) => (known.has(version) ? [] : [{ seen, version }]));
}

/** The token whose string a version has, as far as its id or a marker says so. */
const idOf = (holder: Holder, version: string): string | undefined =>
  holder.state === 'shared' ? holder.owned.token.id : tokenIdOf(holder, version);

const placeOf = ({ seen: { secret }, version }: Version) => {
  const labels = Object.keys(secret.labels).filter((label) => secret.labels[label] === version);
  return `${secret.name} (${labels.sort().join(', ') || 'a version without a label'})`;
};

const placesOf = (versions: readonly Version[]) => [...new Set(versions.map(placeOf))];

const isForConsumers = ({ seen: { secret }, version }: Version) =>
  [secret.labels.AWSCURRENT, secret.labels.AWSPENDING].includes(version);

/** Of a token that is gone, a version that waits tells nothing. */
const isCurrent = ({ seen: { secret }, version }: Version) => secret.labels.AWSCURRENT === version;

interface Compared extends Pick<LeakedSearch, 'compared' | 'unread'> {
  readonly found: readonly Version[];
}

async function compare(
  fingerprint: string,
  versions: readonly Version[],
  tools: Reading,
): Promise<Compared> {
  const hasString = stringFinder(tools);
  const limit = pLimit(tools.policy.concurrency);
  const answers = await Promise.all(
    versions.map((each) =>
      limit(() => hasString(each.seen.secret.name, each.version, fingerprint)),
    ),
  );
  const unread = answers.filter((each) => each === undefined).length;
  const found = versions.filter((_each, index) => answers[index] === true);
  return { found, compared: versions.length - unread, unread };
}

/** In the versions without a label. */
async function compareUnlabelled(
  fingerprint: string,
  secrets: readonly ObservedSecret[],
  tools: Reading,
): Promise<Compared & Pick<LeakedSearch, 'unlisted'>> {
  const limit = pLimit(tools.policy.concurrency);
  const others = await Promise.all(secrets.map((seen) => limit(() => unlabelled(seen, tools))));
  const listed = others.flatMap((each) => each ?? []);
  const compared = await compare(fingerprint, listed, tools);
  return { ...compared, unlisted: others.filter((each) => each === undefined).length };
}

/** Those of versions whose consumers read the string: it may stand beside another one in a value. */
async function readBy(
  fingerprint: string,
  versions: readonly Version[],
  tools: Reading,
): Promise<readonly Version[]> {
  const read = fingerprintReader(tools);
  const strings = await Promise.all(
    versions.map(({ seen, version }) => read(seen.secret.name, version, { known: [] })),
  );
  return versions.filter((_each, index) => strings[index] === fingerprint);
}

/** The token whose string versions have, as far as one of them tells, and its secret. */
async function tokenIn(
  versions: readonly Version[],
  observation: RevocationObservation,
  { api, policy: { owner } }: Reading,
): Promise<Pick<LeakedSearch, 'tokenId' | 'secret'>> {
  const secretNamed = secretNamedIn(observation);
  const sorted = sortByOwner(observation.tokens, owner, secretNamed);
  const sources: HolderSources = { ...sorted, api, owner, secretNamed };
  const known = await Promise.all(
    versions.map(async ({ seen, version }) => {
      const { secret, holders } = seen;
      const holder = holders.get(version) ?? (await findHolder(version, secret, sources));
      const tokenId = idOf(holder, version);
      return tokenId === undefined ? [] : [{ tokenId, secret: secret.name }];
    }),
  );
  return known.flat()[0] ?? {};
}

/** In the versions under a label, and where none of them tells whose it is in the others, too. */
async function search(
  fingerprint: string,
  observation: RevocationObservation,
  tools: Reading,
): Promise<LeakedSearch> {
  const all = [...observation.secrets.values()];
  const first = await compare(fingerprint, all.flatMap(labelled), tools);
  const firstRead = await readBy(fingerprint, first.found, tools);
  const labelledToken = await tokenIn(firstRead, observation, tools);
  const isKnown = labelledToken.tokenId !== undefined;
  const where = first.found.length > 0 ? [...new Set(first.found.map(({ seen }) => seen))] : all;
  const second = await compareUnlabelled(fingerprint, isKnown ? [] : where, tools);
  const secondRead = await readBy(fingerprint, second.found, tools);
  const token = isKnown ? labelledToken : await tokenIn(secondRead, observation, tools);
  const [found, read] = [
    [...first.found, ...second.found],
    [...firstRead, ...secondRead],
  ];
  return {
    ...token,
    secrets: [...new Set(read.map(({ seen }) => seen.secret.name))],
    inUse: [...new Set(read.filter(isCurrent).map(({ seen }) => seen.secret.name))],
    places: placesOf(read.filter(isForConsumers)),
    past: placesOf(read.filter((each) => !isForConsumers(each))),
    beside: placesOf(found.filter((each) => !read.includes(each))),
    compared: first.compared + second.compared,
    unread: first.unread + second.unread,
    unlisted: second.unlisted,
  };
}

/**
 * Looks for a string by its fingerprint in the values of all versions of our secrets, since a person may
 * have edited a marker, or put a token there that Keyturn never wrote. Undefined: the order has no fingerprint, or
 * a marker bears it.
 */
export async function searchValues(
  { selector }: RevocationRequest,
  observation: RevocationObservation,
  tools: Reading,
): Promise<LeakedSearch | undefined> {
  if (selector.kind !== 'fingerprint') return undefined;
  const { fingerprint } = selector;
  const isMarked = findByFingerprint(observation.tokens, fingerprint).length > 0;
  return isMarked ? undefined : await search(fingerprint, observation, tools);
}

/** Ids of the tokens that versions of our secrets name, and of those that an order replaced: the cluster may show them no more. */
export async function idsInVersions(
  { secrets }: RevocationObservation,
  tools: Reading,
): Promise<string[]> {
  const limit = pLimit(tools.policy.concurrency);
  const ids = [...secrets.values()].map(async (seen) => {
    const versions = await limit(() => allVersions(seen, tools));
    const named = (versions ?? Object.values(seen.secret.labels)).map(tokenNamedBy);
    return [
      ...named.flatMap((each) => each?.tokenId ?? []),
      ...seen.tokens.flatMap(({ marker }) => marker.replaces ?? []),
    ];
  });
  return (await Promise.all(ids)).flat();
}

/** Whether consumers of a secret read what Keyturn put for a token: also where a person has saved it since. */
async function isRead(seen: ObservedSecret, tokenId: string, tools: Reading): Promise<boolean> {
  const { name } = seen.secret;
  const put = await fingerprintReader(tools)(name, versionIdOf(tokenId), { known: [] });
  if (put === undefined || put === 'empty') return false;
  const versions = labelled(seen).filter(isCurrent);
  return (await readBy(put, versions, tools)).length > 0;
}

/**
 * Where a token that the cluster does not show any more still has a version. Undefined: nowhere, or the cluster shows the
 * token.
 */
export async function findEnded(
  { selector }: RevocationRequest,
  leaked: LeakedSearch | undefined,
  { secrets, tokens }: RevocationObservation,
  tools: Reading,
): Promise<Ended | undefined> {
  const id = selector.kind === 'tokenId' ? selector.id : leaked?.tokenId;
  if (id === undefined || tokens.some((token) => token.id === id)) return undefined;
  if (leaked?.secret !== undefined) {
    return { secret: leaked.secret, isInUse: leaked.inUse.includes(leaked.secret) };
  }
  const limit = pLimit(tools.policy.concurrency);
  const found = await Promise.all(
    [...secrets.values()].map((seen) =>
      limit(async () =>
        (await allVersions(seen, tools))?.includes(versionIdOf(id)) ? [seen] : [],
      ),
    ),
  );
  const [seen] = found.flat();
  return seen && { secret: seen.secret.name, isInUse: await isRead(seen, id, tools) };
}

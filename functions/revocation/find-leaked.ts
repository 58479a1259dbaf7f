import pLimit from 'p-limit';
import type { RunTools } from '../run/tools.ts';
import { findHolder, type HolderSources } from '../tokens/find-holder.ts';
import {
  type Holder,
  type ObservedSecret,
  secretNamedIn,
  sortByOwner,
} from '../tokens/observation.ts';
import { stringFinder } from '../tokens/read-fingerprint.ts';
import { tokenNamedBy, versionIdOf } from '../tokens/version-id.ts';
import type { RevocationObservation } from './observe.ts';
import { findByFingerprint } from './plan/known-token.ts';
import type { LeakedSearch } from './plan/select-tokens.ts';
import type { RevocationRequest } from './request.ts';

/** A version of a secret. */
interface Version {
  readonly seen: ObservedSecret;
  readonly version: string;
}

type Reading = Pick<RunTools, 'api' | 'secrets' | 'policy' | 'log'>;

const labelled = (seen: ObservedSecret): readonly Version[] =>
  [...new Set(Object.values(seen.secret.labels))].map((version) => ({ seen, version }));

/** Ids of all versions, also of those without a label; none where Secrets Manager does not list them. */
async function allVersions(
  { secret }: ObservedSecret,
  { secrets, log }: Reading,
): Promise<string[]> {
  try {
    return [...(await secrets.versionTimes(secret.name)).keys()];
  } catch (error) {
    log.warn('the versions could not be listed', { secret: secret.name, error });
    return [];
  }
}

/** The versions without a label: an order takes labels off, and what it ended is proven anew when it is repeated. */
async function unlabelled(seen: ObservedSecret, tools: Reading): Promise<readonly Version[]> {
  const known = new Set(Object.values(seen.secret.labels));
  const all = await allVersions(seen, tools);
  return all.flatMap((version) => (known.has(version) ? [] : [{ seen, version }]));
}

/** The token whose string a version has, as far as its id or a marker says so. */
function idOf(holder: Holder, version: string): string | undefined {
  if (holder.state === 'owned' || holder.state === 'shared') return holder.owned.token.id;
  if (holder.state === 'foreign') return holder.token.id;
  return holder.state === 'gone' ? tokenNamedBy(version)?.tokenId : undefined;
}

const placeOf = ({ seen: { secret }, version }: Version) => {
  const labels = Object.keys(secret.labels).filter((label) => secret.labels[label] === version);
  return `${secret.name} (${labels.sort().join(', ') || 'a version without a label'})`;
};

interface Compared {
  readonly found: readonly Version[];
  readonly compared: number;
  readonly unread: number;
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

/** In the versions under a label, and if none has it in all others. */
async function compareAll(
  fingerprint: string,
  { secrets }: RevocationObservation,
  tools: Reading,
): Promise<Compared> {
  const all = [...secrets.values()];
  const first = await compare(fingerprint, all.flatMap(labelled), tools);
  if (first.found.length > 0) return first;
  const limit = pLimit(tools.policy.concurrency);
  const others = await Promise.all(all.map((seen) => limit(() => unlabelled(seen, tools))));
  const second = await compare(fingerprint, others.flat(), tools);
  return {
    found: second.found,
    compared: first.compared + second.compared,
    unread: first.unread + second.unread,
  };
}

async function search(
  fingerprint: string,
  observation: RevocationObservation,
  tools: Reading,
): Promise<LeakedSearch> {
  const { tokens } = observation;
  const { owner } = tools.policy;
  const { found, compared, unread } = await compareAll(fingerprint, observation, tools);
  const secretNamed = secretNamedIn(observation);
  const sorted = sortByOwner(tokens, owner, secretNamed);
  const sources: HolderSources = { ...sorted, api: tools.api, owner, secretNamed };
  const holders = found.map(
    async ({ seen, version }) =>
      seen.holders.get(version) ?? (await findHolder(version, seen.secret, sources)),
  );
  const known = (await Promise.all(holders)).flatMap((holder, index) => {
    const { seen, version = '' } = found[index] ?? {};
    const tokenId = idOf(holder, version);
    return tokenId === undefined ? [] : [{ tokenId, secret: seen?.secret.name ?? '' }];
  });
  return { ...known[0], places: found.map(placeOf), compared, unread };
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

/**
 * The secret that still has a version of a token which the cluster does not show any more. Undefined: none has, or the
 * cluster shows the token.
 */
export async function findEnded(
  { selector }: RevocationRequest,
  leaked: LeakedSearch | undefined,
  { secrets, tokens }: RevocationObservation,
  tools: Reading,
): Promise<string | undefined> {
  const id = selector.kind === 'tokenId' ? selector.id : leaked?.tokenId;
  if (id === undefined || tokens.some((token) => token.id === id)) return undefined;
  if (leaked?.secret !== undefined) return leaked.secret;
  const limit = pLimit(tools.policy.concurrency);
  const found = await Promise.all(
    [...secrets.values()].map((seen) =>
      limit(async () =>
        (await allVersions(seen, tools)).includes(versionIdOf(id)) ? [seen.secret.name] : [],
      ),
    ),
  );
  return found.flat()[0];
}

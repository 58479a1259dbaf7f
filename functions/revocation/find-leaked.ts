import pLimit from 'p-limit';
import type { RunTools } from '../run/tools.ts';
import { findHolder, type HolderSources } from '../tokens/find-holder.ts';
import { type Holder, type ObservedSecret, sortByOwner } from '../tokens/observation.ts';
import { stringFinder } from '../tokens/read-fingerprint.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';
import type { RevocationObservation } from './observe.ts';
import { findByFingerprint } from './plan/known-token.ts';
import type { LeakedSearch } from './plan/select-tokens.ts';
import type { RevocationRequest } from './request.ts';

/** A version that has a label. */
interface Labelled {
  readonly seen: ObservedSecret;
  readonly version: string;
}

const labelled = (seen: ObservedSecret): readonly Labelled[] =>
  [...new Set(Object.values(seen.secret.labels))].map((version) => ({ seen, version }));

/** The token whose string a version has, as far as its id or a marker says so. */
function idOf(holder: Holder, version: string): string | undefined {
  if (holder.state === 'owned' || holder.state === 'shared') return holder.owned.token.id;
  if (holder.state === 'foreign') return holder.token.id;
  return holder.state === 'gone' ? tokenNamedBy(version)?.tokenId : undefined;
}

const placeOf = ({ seen: { secret }, version }: Labelled) => {
  const labels = Object.keys(secret.labels).filter((label) => secret.labels[label] === version);
  return `${secret.name} (${labels.sort().join(', ')})`;
};

async function search(
  fingerprint: string,
  { secrets, tokens }: RevocationObservation,
  tools: Pick<RunTools, 'api' | 'secrets' | 'policy' | 'log'>,
): Promise<LeakedSearch> {
  const { owner, concurrency } = tools.policy;
  const versions = [...secrets.values()].flatMap(labelled);
  const hasString = stringFinder(tools);
  const limit = pLimit(concurrency);
  const answers = await Promise.all(
    versions.map((each) =>
      limit(() => hasString(each.seen.secret.name, each.version, fingerprint)),
    ),
  );
  const found = versions.filter((_each, index) => answers[index] === true);
  const unread = answers.filter((each) => each === undefined).length;
  const sorted = sortByOwner(tokens, owner, (name) => secrets.get(name)?.secret);
  const sources: HolderSources = { ...sorted, api: tools.api, owner };
  const holders = found.map(
    async ({ seen, version }) =>
      seen.holders.get(version) ?? (await findHolder(version, seen.secret, sources)),
  );
  const ids = (await Promise.all(holders)).map((holder, index) =>
    idOf(holder, found[index]?.version ?? ''),
  );
  const tokenId = ids.find((id) => id !== undefined);
  return {
    ...(tokenId !== undefined && { tokenId }),
    places: found.map(placeOf),
    compared: versions.length - unread,
    unread,
  };
}

/**
 * Looks for a string by its fingerprint in the values of all labelled versions of our secrets, since a person may
 * have edited a marker, or put a token there that Keyturn never wrote. Undefined: the order has no fingerprint, or
 * a marker bears it.
 */
export async function searchValues(
  { selector }: RevocationRequest,
  observation: RevocationObservation,
  tools: Pick<RunTools, 'api' | 'secrets' | 'policy' | 'log'>,
): Promise<LeakedSearch | undefined> {
  if (selector.kind !== 'fingerprint') return undefined;
  const { fingerprint } = selector;
  const isMarked = findByFingerprint(observation.tokens, fingerprint).length > 0;
  return isMarked ? undefined : await search(fingerprint, observation, tools);
}

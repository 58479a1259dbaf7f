import { entryOf, type Policy, type TokenPolicy } from '../policy/policy.ts';
import type { Result } from '../run/outcome.ts';
import type { Tools } from '../run/tools.ts';
import { adoptedTag } from '../tokens/adopted-tag.ts';
import { changeToken, freshToken, superseding, supersedingFormer } from '../tokens/change-token.ts';
import { claimSecret } from '../tokens/claim-secret.ts';
import { homeOf } from '../tokens/marker.ts';
import type { Observation, ObservedSecret, OwnedToken } from '../tokens/observation.ts';
import { restartGrace } from '../tokens/restart-grace.ts';
import { armedSince, ownedCurrent } from '../tokens/state.ts';
import { versionIdOf } from '../tokens/version-id.ts';
import {
  adoptionToNote,
  graceRestart,
  recognitions,
  versionsOf,
  withOldGrace,
} from './plan/note-versions.ts';
import type { NotingAction, Recognition, SharingMark } from './plan/rotation-action.ts';
import { supersedeLeft } from './supersede.ts';

/** A marker has room for so many versions; one without a label needs none. */
const MOST_VERSIONS = 3;

/** Which clocks start anew: consumers have used the token until now. */
function clocks(owned: OwnedToken, label: Recognition['label'], entry: TokenPolicy, now: number) {
  switch (label) {
    case 'AWSCURRENT':
      return {
        superseded: undefined,
        grace: undefined,
        fenced: undefined,
        promoted: owned.marker.promoted ?? armedSince(owned),
      };
    case 'AWSPREVIOUS':
      return supersedingFormer(owned, entry.gracePeriod, now).marker;
    case 'AWSPENDING':
      return {};
    default:
      label satisfies never;
      throw new Error('unknown label');
  }
}

async function recognise(
  entry: TokenPolicy,
  seen: ObservedSecret,
  { tokenId, label }: Pick<Recognition, 'tokenId' | 'label'>,
  tools: Tools,
): Promise<Result> {
  const listed = seen.tokens.find(({ token }) => token.id === tokenId);
  const fresh = listed && (await freshToken(tools, listed));
  if (!fresh) return 'skipped';
  const labelled = new Set(Object.values(seen.secret.labels));
  const kept = (fresh.marker.version ?? []).filter((each) => labelled.has(each));
  const said = [versionIdOf(tokenId), tokenId, fresh.marker.minted];
  const found = versionsOf(seen, tokenId).filter((each) => !said.includes(each));
  // The first of these are the most important ones.
  const version = [...new Set([...found, ...kept])].slice(0, MOST_VERSIONS);
  // A token that AWSCURRENT has, too, is in use, whatever the other label says.
  const isCurrent = ownedCurrent(seen)?.token.id === tokenId;
  const restarted =
    isCurrent && label === 'AWSPREVIOUS' ? {} : clocks(fresh, label, entry, tools.apiNow());
  if (label === 'AWSCURRENT') await supersedeLeft(seen, entry.gracePeriod, tools);
  await changeToken(tools, fresh, { marker: { version, ...restarted } });
  return 'done';
}

/** The longer grace period of a token's own secret and of the other one that had its string. */
function longestGrace(
  { marker: { secret: name, shared } }: OwnedToken,
  { secrets }: Observation,
  policy: Policy,
): number {
  const both = [...secrets.values()].filter(
    ({ secret }) => secret.name === name || homeOf(secret.arn) === shared,
  );
  const lifetimes = both.map(({ secret }) => entryOf(policy, secret.name) ?? policy.defaults);
  return Math.max(...lifetimes.map(({ gracePeriod }) => gracePeriod));
}

/**
 * Writes into a token's marker which other secret has its string, whose own entry may have left the policy. Once
 * none has it any more, its grace period starts: the consumers of that secret have used it until now.
 */
export async function markShared(
  { tokenId, secret, by }: Pick<SharingMark, 'tokenId' | 'secret' | 'by'>,
  observation: Observation,
  tools: Tools,
): Promise<Result> {
  const listed = observation.secrets.get(secret)?.tokens.find(({ token }) => token.id === tokenId);
  const fresh = listed && (await freshToken(tools, listed));
  if (!fresh) return 'skipped';
  const { superseded, quarantined } = fresh.marker;
  const isOver = by === undefined && superseded !== undefined && quarantined === undefined;
  const grace = longestGrace(fresh, observation, tools.policy);
  const restarted = isOver ? superseding(fresh, grace, tools.apiNow()).marker : {};
  await changeToken(tools, fresh, { marker: { ...restarted, shared: by } });
  return 'done';
}

/** Writes down what this run has seen, if a fresh look at the secret still shows it. */
export async function noteVersion(
  {
    entry,
    action,
  }: { readonly entry: TokenPolicy; readonly action: Exclude<NotingAction, SharingMark> },
  observation: Observation,
  tools: Tools,
): Promise<Result> {
  const seen = await claimSecret(entry, observation, tools);
  switch (action.kind) {
    case 'recognise': {
      const isThere = recognitions(seen).some(
        ({ version, tokenId }) => version === action.version && tokenId === action.tokenId,
      );
      return isThere ? recognise(entry, seen, action, tools) : 'skipped';
    }
    case 'restart-grace': {
      const now = tools.apiNow();
      if (graceRestart(seen, now).length === 0) return 'skipped';
      await restartGrace(seen, withOldGrace(seen, now), entry.gracePeriod, tools);
      return 'done';
    }
    case 'note-adoption': {
      const noted = adoptionToNote(seen);
      if (noted?.tokenId !== action.tokenId) return 'skipped';
      await tools.secrets.tag(entry.secret, adoptedTag(noted));
      return 'done';
    }
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

import type { Token } from '../management-api/token.ts';
import type { TokenPolicy } from '../policy/policy.ts';
import { atApiTime } from '../run/api-time.ts';
import { messageOf } from '../run/message-of.ts';
import { attempt, type Result } from '../run/outcome.ts';
import type { RotateRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import type { RunTools, Tools } from '../run/tools.ts';
import { OWNER_TAG, type Secret } from '../secrets-manager/secret.ts';
import { changeToken } from '../tokens/change-token.ts';
import { homeOf, parseMarker } from '../tokens/marker.ts';
import { asOwned, ownedToken } from '../tokens/observation.ts';
import { observe } from '../tokens/observe.ts';
import { OutsiderError, refuseOutsiders } from '../tokens/refuse-outsiders.ts';
import { fingerprintsIn } from '../tokens/secret-string.ts';
import { isExpired } from '../tokens/state.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';
import { refuseUnknownNames } from './plan/plan-rotation.ts';
import { planTakeover, type SecretSeen, type TakeOver } from './plan/plan-takeover.ts';
import { createTurns, hasTimeForStep } from './turns.ts';

type TakeoverRequest = RotateRequest & {
  readonly takeOver: NonNullable<RotateRequest['takeOver']>;
};

/** Fingerprints of all strings in a version. Undefined: it has no value, or nobody could read it. */
async function stringsOf(secret: string, version: string, { secrets, log }: Tools) {
  try {
    const text = await secrets.value(secret, version);
    return text && fingerprintsIn(text);
  } catch (error) {
    log.warn('a value could not be read', { secret, version, error });
    return undefined;
  }
}

/** Why a secret is left alone, whatever its tokens are. Undefined: nothing forbids it. */
async function objectionTo(secret: Secret, tools: Tools): Promise<string | undefined> {
  try {
    // What this run has seen of it is no value that we have put there: its owner was another, or its ARN.
    await refuseOutsiders({ secret, holders: new Map() }, tools);
    return undefined;
  } catch (error) {
    if (error instanceof OutsiderError) return messageOf(error);
    throw error;
  }
}

/** Ids of all versions, labelled or not. */
async function versionsOf({ name, labels }: Secret, { secrets }: Tools): Promise<string[]> {
  const times = await secrets.versionTimes(name);
  return [...new Set([...Object.values(labels), ...times.keys()])];
}

/** Tokens that versions name and the listing lacks. */
async function unlistedOf(
  versions: readonly string[],
  listed: ReadonlyMap<string, Token>,
  { api }: Tools,
): Promise<readonly Token[]> {
  const ids = new Set(versions.flatMap((version) => tokenNamedBy(version)?.tokenId ?? []));
  const asked = [...ids].filter((id) => !listed.has(id)).map((id) => api.getToken(id));
  return (await Promise.all(asked)).filter((token) => token !== undefined);
}

/** A listing that lacks a live token may lack those that no version names, too. Of an expired one it is no sign. */
function incompleteListing(unlisted: readonly Token[], { apiNow }: Tools): string | undefined {
  const lacks = unlisted.find(
    (token) => token.revokedAt === undefined && !isExpired(token, apiNow()),
  );
  return (
    lacks &&
    `GET /tokens does not show ${lacks.id}, which a version of it names, but GET /tokens/${lacks.id} does: the listing is incomplete; repeat the command`
  );
}

async function readSecret(
  { secret: name }: TokenPolicy,
  listed: ReadonlyMap<string, Token>,
  tools: Tools,
): Promise<SecretSeen> {
  const secret = await tools.secrets.describe(name);
  const seen = { secret, strings: new Map(), tokens: [] };
  if (!secret) return { ...seen, tokens: [...listed.values()] };
  if (secret.replica || secret.deletedAt !== undefined) return seen;
  try {
    const versions = await versionsOf(secret, tools);
    const [strings, unlisted, objection] = await Promise.all([
      Promise.all(
        versions.map(async (each) => [each, await stringsOf(name, each, tools)] as const),
      ),
      unlistedOf(versions, listed, tools),
      objectionTo(secret, tools),
    ]);
    const tokens = [...listed.values(), ...unlisted].filter(
      ({ revokedAt }) => revokedAt === undefined,
    );
    const why = objection ?? incompleteListing(unlisted, tools);
    return {
      secret,
      strings: new Map(strings),
      tokens,
      ...(why !== undefined && { objection: why }),
    };
  } catch (error) {
    // One secret that cannot be looked at keeps no other from being taken over.
    tools.log.warn('a secret could not be looked at', { secret: name, error });
    return { ...seen, objection: messageOf(error) };
  }
}

/** The secret as it is now, if it is still the one that was planned for, and of no other owner than then. */
async function stillMeant(
  planned: Secret,
  from: string | undefined,
  { secrets, policy: { owner } }: Tools,
): Promise<Secret | undefined> {
  const now = await secrets.describe(planned.name);
  if (now?.arn !== planned.arn || now.deletedAt !== undefined || now.replica) return undefined;
  const tagged = now.tags[OWNER_TAG];
  return tagged === undefined || tagged === owner || tagged === from ? now : undefined;
}

/** Writes whose the token is now, and changes nothing else of it: what it may do, and which moves it has made. */
async function takeToken(
  id: string,
  secret: Secret,
  from: string | undefined,
  tools: Tools,
): Promise<Result> {
  const { owner } = tools.policy;
  const token = await tools.api.getToken(id);
  // It is gone, so that nobody has to retire it; or it is ours already.
  if (!token || token.revokedAt !== undefined) return 'done';
  if (asOwned(token, owner, (name) => (name === secret.name ? secret : undefined))) return 'done';
  const parsed = parseMarker(token.description);
  const isMeant =
    parsed?.marker.secret === secret.name &&
    (parsed.marker.id ?? id) === id &&
    (parsed.marker.owner === owner || parsed.marker.owner === from);
  if (!isMeant) return 'skipped';
  const marker = { owner, home: homeOf(secret.arn) };
  await changeToken(tools, ownedToken(token, parsed), { marker });
  return 'done';
}

/**
 * Markers first, the secret's tag last: a run that dies in between leaves a secret that nobody but its former owner
 * takes for its own, and a repetition goes on.
 */
async function takeOver(
  { secret: name, token, tokenIds, tags }: TakeOver,
  planned: Secret | undefined,
  { by, from }: TakeoverRequest['takeOver'],
  tools: Tools,
): Promise<Result> {
  if (!hasTimeForStep(tools)) return 'postponed';
  const secret = planned && (await stillMeant(planned, from, tools));
  if (!secret) return 'skipped';
  for (const id of tokenIds) {
    const result = await takeToken(id, secret, from, tools);
    if (result !== 'done') return result;
  }
  if (tags) {
    if (!(await stillMeant(secret, from, tools))) return 'skipped';
    await tools.secrets.tag(name, tags);
  }
  tools.publish({
    type: 'Secret Taken Over',
    detail: {
      ...{ token, secret: name, secretArn: secret.arn, tokenIds, confirmedBy: by },
      ...(from !== undefined && { from }),
    },
  });
  return 'done';
}

/**
 * Makes the secrets of the named entries, and the tokens that they hold, ours again, after a replica was promoted, a
 * secret was made anew, or the owner changed. Safe to repeat: it finishes what an earlier run left.
 * @throws RequestError if a name is not in the policy
 */
export async function runTakeover(
  request: TakeoverRequest,
  runTools: RunTools,
): Promise<Report<TakeOver>> {
  const { policy } = runTools;
  const { tokens: names = [], takeOver: asked } = request;
  refuseUnknownNames(policy, names);
  const observation = await observe(runTools, policy, {});
  const tools = atApiTime(runTools, observation);
  const { secrets, foreign } = observation;
  const owned = [...secrets.values()].flatMap((seen) => seen.tokens.map(({ token }) => token));
  const listed = new Map([...foreign.values(), ...owned].map((token) => [token.id, token]));
  const entries = policy.tokens.filter(({ name }) => names.includes(name));
  const seen = new Map(
    await Promise.all(
      entries.map(async (entry) => [entry.secret, await readSecret(entry, listed, tools)] as const),
    ),
  );
  const { start } = createTurns(tools);
  const plan = planTakeover(policy, seen, { tokens: names, from: asked.from }, [
    ...listed.values(),
  ]);
  return runPlan(plan, request, tools, (actions) =>
    Promise.all(
      actions.map((action) =>
        attempt(action, tools.log, () =>
          start(() => takeOver(action, seen.get(action.secret)?.secret, asked, tools)),
        ),
      ),
    ),
  );
}

import { entryOf, type Policy, type TokenPolicy } from '../../policy/policy.ts';
import { limitedPlan } from '../../run/limits.ts';
import type { Finding, Plan } from '../../run/plan.ts';
import { RequestError, type RotateRequest } from '../../run/request.ts';
import { countOwned, type Observation, type ObservedSecret } from '../../tokens/observation.ts';
import { currentHolder, isCurrentHere, wasEndedByOrder } from '../../tokens/state.ts';
import { unreadableSecrets } from '../../tokens/unreadable-secrets.ts';
import { clusterMove, isMove, moveConditions } from './cluster-moves.ts';
import { adoptsFirst, decideAdoption, isUntagged, wasAdopted } from './decide-adoption.ts';
import {
  type Decision,
  decideRotation,
  forbidden,
  givenIn,
  permissionsOf,
} from './decide-rotation.ts';
import { findingOfStrays, frozenStrays } from './frozen-strays.ts';
import { noteVersions, sharingMarks } from './note-versions.ts';
import {
  type IsKnown,
  knownDatabases,
  refusedPermissions,
  unknownDatabases,
} from './permissions.ts';
import { type Described, planReplicas } from './plan-replicas.ts';
import { isBecauseGone } from './reason-to-replace.ts';
import type { RotationAction } from './rotation-action.ts';
import type { RotationContext } from './rotation-case.ts';
import { otherKey } from './secret-keys.ts';

/** What the invocation asks for, as far as the plan depends on it. */
type Asked = Pick<RotateRequest, 'tokens' | 'force' | 'confirmAdoption'>;

/** Why a secret gets no token: its kind is `OTHER_SHAPE`, `OUTSIDE_READER` or `NOT_OURS`. */
export type NoToken = Pick<Finding, 'kind' | 'message'> & {
  /** Of one to adopt: nobody could look, which is no reason in the secret. */
  readonly isUnseen?: boolean;
};

/** What a run has learnt besides the observation. */
export interface Learnt {
  /** Secrets whose AWSCURRENT the data plane refused in this run: the whole of it, where nobody knows the string. */
  readonly refused: ReadonlySet<string>;
  /** By the secret's name: why it gets no token. Absent: nobody looked. */
  readonly noToken?: ReadonlyMap<string, NoToken>;
  /** Secrets that are not listed as ours, and that Keyturn has rotated. Absent: nobody looked. */
  readonly rotatedBefore?: ReadonlySet<string>;
  /** By the secret's name: what is known of replicas that the policy wants. Absent: nobody looked. */
  readonly replicas?: ReadonlyMap<string, Described>;
  /** How long until the next run, at most. Absent: nobody told; as if all were as far from each other. */
  readonly nextMs?: number | undefined;
  /** How long until the third run after this one, at most. */
  readonly thirdMs: number;
}

/**
 * An unknown name is a typo, which a run that does nothing would hide.
 * @throws RequestError
 */
export function refuseUnknownNames({ tokens }: Policy, requested: readonly string[] = []): void {
  const unknown = requested.filter((name) => !tokens.some((entry) => entry.name === name));
  if (unknown.length > 0) {
    throw new RequestError(`tokens: the policy has no token ${unknown.join(', ')}`);
  }
}

/** What decides about every entry of a run alike. */
export const rotationContext = (
  policy: Policy,
  { at, databases }: Pick<Observation, 'at' | 'databases'>,
  { thirdMs, nextMs = thirdMs / 3 }: Pick<Learnt, 'nextMs' | 'thirdMs'>,
): Omit<RotationContext, 'forced' | 'refused'> => ({
  now: at,
  timeZone: policy.timeZone,
  settleMs: policy.settle,
  nextMs,
  thirdMs,
  isKnown: knownDatabases(policy, databases),
});

/** What a limited action does that it does not say itself, because the policy decides it. */
function givenBy({ secret }: RotationAction, policy: Policy): unknown {
  const entry = entryOf(policy, secret);
  const { cluster, encryptionKey, replicaRegions } = policy;
  const url = cluster.dataUrl ?? cluster.url;
  const given = [entry?.permissions, entry?.expiresAfter, url, encryptionKey];
  // Without them an approval stays what it was in versions that knew none.
  return replicaRegions ? [...given, replicaRegions] : given;
}

/**
 * Whether a person's order took AWSCURRENT's token from this cluster: a move to it, which was approved once for all, or
 * waits for that; or a deletion that was lifted since.
 */
export function isByOrder(
  name: string,
  actions: readonly RotationAction[],
  { secrets, at }: Observation,
): boolean {
  const seen = secrets.get(name);
  if (!seen || isCurrentHere(seen)) return false;
  const moves = actions.some((each) => isMove(each) && each.secret === name);
  return moves || wasEndedByOrder(seen, at);
}

/** These actions need no database to exist. */
const GRANTS_NOTHING: readonly RotationAction['kind'][] = ['detach-pending', 'give-back'];

/** A finding of this kind says which permissions of an entry are refused. */
const UNKNOWN_DATABASE = 'UnknownDatabase';

/** Whether a plan refuses a part of what the policy says: nobody else would notice, as every token goes on with what it has. */
export const refusesPermissions = ({ findings }: Plan<RotationAction>): boolean =>
  findings.some(({ kind }) => kind === UNKNOWN_DATABASE);

/** Whether an entry names a database that neither exists nor is declared, and whether that forbids everything. */
function checkDatabases(entry: TokenPolicy, seen: ObservedSecret | undefined, isKnown: IsKnown) {
  const refused = refusedPermissions(entry, givenIn(seen), isKnown);
  if (refused.length === 0) return { forbids: false };
  const names = unknownDatabases({ permissions: refused }, isKnown).join(', ');
  const message = `gets no permissions on ${names}, which neither exists nor is declared`;
  // As long as nobody uses it, a typo is better found than half given.
  const isUsed = seen !== undefined && currentHolder(seen) !== undefined;
  const isNothingLeft = permissionsOf(entry, seen, isKnown).length === 0;
  return { finding: { kind: UNKNOWN_DATABASE, message }, forbids: !isUsed || isNothingLeft };
}

interface Planned {
  readonly actions: readonly RotationAction[];
  readonly findings: readonly Finding[];
}

/** Besides what decides about every entry: whether a person confirms an adoption, and what was learnt of its secret. */
type EntryContext = RotationContext &
  Pick<Asked, 'confirmAdoption'> & {
    readonly noToken?: NoToken | undefined;
    readonly isRotated: boolean;
  };

/** The adoption of one entry. Undefined: there is none, and nothing is to be said of one. */
function planAdoption(
  entry: TokenPolicy,
  { secrets, foreign, at }: Observation,
  context: EntryContext,
  { owner }: Policy,
): (Planned & { readonly isFirst: boolean }) | undefined {
  const seen = secrets.get(entry.secret);
  const { confirmAdoption, isRotated, noToken } = context;
  const around = { at, secrets, foreign, owner, confirmAdoption, isRotated, noToken };
  const decided = decideAdoption(entry, seen, around);
  const { action, finding } = decided;
  if (!action && !finding) return undefined;
  return {
    actions: action ? [action] : [],
    findings: finding ? [{ token: entry.name, secret: entry.secret, ...finding }] : [],
    isFirst: adoptsFirst(seen, decided, context),
  };
}

/** A finding of this kind keeps an entry from getting a new token, and fails the run, until a person mends its secret. */
export const OTHER_SHAPE = 'OtherShape';

/** So does one of this kind: others could read what is put into its secret. */
export const OUTSIDE_READER = 'OutsideReader';

/** And one of this kind: the secret has another owner, or none. */
export const NOT_OURS = 'NotOurs';

/** Whether an action stores the string of a new token. */
export const isStoring = ({ kind }: RotationAction) => kind === 'rotate' || kind === 'mint';

/**
 * Whether nothing but the adoption is done: of a secret that lost our tag, where it cannot get that back. Of a token that was taken
 * over before, also what waits comes first: it would be lost, with what the token lacks.
 */
function isAlone(
  { isFirst, actions }: Planned & { readonly isFirst: boolean },
  { action, reason }: Decision,
  seen: ObservedSecret | undefined,
): boolean {
  if (seen && isUntagged(seen)) return actions.length === 0;
  return isFirst || !(action || (reason && wasAdopted(seen)));
}

/** What is noted before anything else. Where our tag is lost, that waits for a run that finds it. */
function planNotes(
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  sharing: Parameters<typeof noteVersions>[1],
  { now }: Pick<EntryContext, 'now'>,
  policy: Policy,
): RotationAction[] {
  if (!seen || isUntagged(seen)) return [];
  const notes = forbidden(seen) ? [] : noteVersions(seen, sharing, now);
  const about = { token: entry.name, secret: entry.secret };
  return [
    ...clusterMove(entry, seen, now, policy),
    ...notes.map((note) => ({ ...about, ...note })),
  ];
}

/** What a run does for one entry. `sharing`: what is to be noted in its tokens' markers. */
function planEntry(
  entry: TokenPolicy,
  observation: Observation,
  sharing: Parameters<typeof noteVersions>[1],
  context: EntryContext,
  policy: Policy,
): Planned {
  const seen = observation.secrets.get(entry.secret);
  const about = { token: entry.name, secret: entry.secret };
  const adoption = planAdoption(entry, observation, context, policy);
  if (context.confirmAdoption !== undefined) return adoption ?? { actions: [], findings: [] };
  if (!seen && adoption) return adoption;
  const { finding, forbids } = checkDatabases(entry, seen, context.isKnown);
  const refused = finding ? [{ ...about, ...finding }] : [];
  const noted = planNotes(entry, seen, sharing, context, policy);
  const rotation = decideRotation(entry, seen, context);
  const findings = [...refused, ...rotation.findings];
  if (adoption && isAlone(adoption, rotation, seen)) {
    return {
      actions: [...noted, ...adoption.actions],
      findings: [...findings, ...adoption.findings],
    };
  }
  // Only with our tag is it ours.
  const first = seen && isUntagged(seen) ? (adoption?.actions ?? []) : noted;
  const { action } = rotation;
  if (action && context.noToken && isStoring(action)) {
    return { actions: first, findings: [...findings, { ...about, ...context.noToken }] };
  }
  const isAllowed = action && (!forbids || GRANTS_NOTHING.includes(action.kind));
  return { actions: [...first, ...(isAllowed ? [action] : [])], findings };
}

/** Marks of tokens whose entry left the policy: what another secret of ours has must not be retired. */
const marksOfUnlisted = (
  policy: Policy,
  sharing: ReturnType<typeof sharingMarks>,
): RotationAction[] =>
  [...sharing].flatMap(([secret, marks]) =>
    entryOf(policy, secret) ? [] : marks.map((mark) => ({ ...mark, token: secret, secret })),
  );

/**
 * Plans the rotation of every token of the policy. Pure: same input, same plan, same hashes.
 * @throws RequestError if the request names tokens that the policy does not
 */
export function planRotation(
  policy: Policy,
  observation: Observation,
  request: Asked,
  learnt: Learnt,
): Plan<RotationAction> {
  refuseUnknownNames(policy, request.tokens);
  const common = rotationContext(policy, observation, learnt);
  const sharing = sharingMarks(policy, observation);
  const strays = frozenStrays(observation, policy.owner);
  const entries = policy.tokens.filter(({ name }) => request.tokens?.includes(name) ?? true);
  const actions: RotationAction[] = [];
  const findings: Finding[] = [];
  // One by one: of a hundred thousand entries no list of lists is kept, and no call takes so many arguments.
  const add = (planned: Planned) => {
    for (const action of planned.actions) actions.push(action);
    for (const finding of planned.findings) findings.push(finding);
  };
  for (const entry of entries) {
    const { secret } = entry;
    const context = {
      ...common,
      forced: request.force,
      confirmAdoption: request.confirmAdoption,
      refused: learnt.refused.has(secret),
      noToken: learnt.noToken?.get(secret),
      isRotated: learnt.rotatedBefore?.has(secret) ?? false,
    };
    add(planEntry(entry, observation, sharing.get(secret) ?? [], context, policy));
  }
  for (const entry of request.confirmAdoption === undefined ? entries : []) {
    const { secret } = entry;
    const seen = observation.secrets.get(secret);
    const ofStrays = findingOfStrays(entry, seen, strays.get(secret));
    add({ actions: [], findings: [...ofStrays, ...otherKey(policy, entry, seen)] });
    add(planReplicas(policy, entry, seen, learnt.replicas?.get(secret), observation.at));
  }
  if (!request.tokens) {
    const ofUnlisted = marksOfUnlisted(policy, sharing);
    add({ actions: ofUnlisted, findings: unreadableSecrets(observation, policy) });
  }
  return limitedPlan({
    job: 'rotate',
    policy,
    actions,
    findings,
    limits: [
      {
        isLimited: (action) =>
          isBecauseGone(action, observation.secrets.get(action.secret)) &&
          !isByOrder(action.secret, actions, observation),
        loss: {
          one: 'token would be replaced because it is gone',
          many: 'tokens would be replaced because they are gone',
        },
        total: countOwned(observation),
      },
    ],
    conditions: moveConditions(actions, policy),
    givenBy: (action) => givenBy(action, policy),
  });
}

import { entryOf, type Policy } from '../policy/policy.ts';
import { rateOf } from '../policy/rate.ts';
import { atApiTime } from '../run/api-time.ts';
import { attempt, type Outcome } from '../run/outcome.ts';
import { type Finding, type Plan, sorted } from '../run/plan.ts';
import type { RotateRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import type { RunTools, Tools } from '../run/tools.ts';
import { REPLICAS_UNKNOWN } from '../secrets-manager/secret.ts';
import { DAY_MS } from '../time.ts';
import { needsVersionTimes, OwnershipError } from '../tokens/claim-secret.ts';
import type { Observation, ObservedSecret } from '../tokens/observation.ts';
import { alsoOurs, observe } from '../tokens/observe.ts';
import { fingerprintReader } from '../tokens/read-fingerprint.ts';
import { OutsiderError } from '../tokens/refuse-outsiders.ts';
import { SecretShapeError } from '../tokens/secret-string.ts';
import { adoptToken } from './adopt.ts';
import { AdoptionError } from './adoption-candidate.ts';
import { type Acceptance, askConsumersStrings } from './ask-consumers-strings.ts';
import { moveCluster } from './move-cluster.ts';
import { findNoToken } from './no-token.ts';
import { markShared, noteVersion } from './note-versions.ts';
import { CANNOT_ADOPT, isUntagged } from './plan/decide-adoption.ts';
import { CANNOT_STORE } from './plan/decide-rotation.ts';
import {
  type EntryChanges,
  type EntryState,
  entryStates,
  type Unadopted,
} from './plan/entry-state.ts';
import { measureTokens } from './plan/measure-tokens.ts';
import { inOrderOfNeed } from './plan/order-of-need.ts';
import { needsDatabases } from './plan/permissions.ts';
import {
  isByOrder,
  isStoring,
  type Learnt,
  NOT_OURS,
  OTHER_SHAPE,
  OUTSIDE_READER,
  planRotation,
  refusesPermissions,
} from './plan/plan-rotation.ts';
import type { RotationAction } from './plan/rotation-action.ts';
import { findRefused } from './refused-strings.ts';
import { findReplicas, ReplicaError, replicate } from './replicas.ts';
import { type Around, rotateToken } from './rotate-token.ts';
import { createTurns, hasTimeForStep } from './turns.ts';
import { findUnlisted, isOursUnlisted } from './unlisted-secrets.ts';

/**
 * How long until the third run after this one, at most: as its schedule said, which a person's run is told,
 * too, so that both find the same.
 */
function timeToThirdRun({ scheduled }: RotateRequest, { policy, thirdRunMs }: RunTools): number {
  if (scheduled) return scheduled.thirdInSeconds * 1_000;
  return thirdRunMs ?? 3 * (rateOf(policy.schedules.rotate) ?? DAY_MS);
}

/** What `rotate` answers. */
export interface RotationReport extends Report<RotationAction> {
  /** Every entry of the policy as it is after the run; in a dry run, before it. */
  readonly entries: readonly (EntryState & {
    /** Absent: the request did not ask for it (`probe`), or names other tokens. */
    readonly acceptance?: Acceptance;
  })[];
}

/** What a run applies. */
interface Applied {
  readonly request: RotateRequest;
  readonly around: Around;
}

function carryOut(
  action: RotationAction,
  { request, around }: Applied,
  tools: Tools,
): Promise<Outcome<RotationAction>> {
  const { observation, turns } = around;
  return attempt(action, tools.log, () => {
    if (action.kind === 'mark-shared') {
      return turns.start(() => markShared(action, observation, tools));
    }
    const entry = entryOf(tools.policy, action.secret);
    if (!entry) throw new Error(`the policy has no entry for ${action.secret}`);
    switch (action.kind) {
      case 'move-cluster':
        return turns.start(() => moveCluster(action, observation, tools));
      case 'replicate':
      case 'check-replicas':
        if (!hasTimeForStep(tools)) return Promise.resolve('postponed');
        return replicate(action, turns.start, tools);
      case 'adopt':
        return adoptToken({ entry, action }, turns.start, tools);
      case 'recognise':
      case 'restart-grace':
      case 'note-adoption':
        return turns.start(async () =>
          hasTimeForStep(tools) ? noteVersion({ entry, action }, observation, tools) : 'postponed',
        );
      default:
        return rotateToken({ entry, action, asked: request.force }, around, tools);
    }
  });
}

/**
 * Within an entry the cluster comes first, then what is only noted: what follows depends on both. Replicas come last: nothing waits for
 * them.
 */
function rankOf({ kind }: RotationAction): number {
  if (kind === 'move-cluster') return 0;
  const isNote = ['recognise', 'mark-shared', 'restart-grace', 'note-adoption'].includes(kind);
  if (isNote) return 1;
  return kind === 'replicate' || kind === 'check-replicas' ? 3 : 2;
}

/**
 * Carries out a rotation plan, the entries beside each other, the actions of one entry one after the other.
 * Every secret is read again right before anything is done to it, so that the plan may be old, or applied
 * twice, or at the same time as another run.
 */
async function applyRotation(
  actions: readonly RotationAction[],
  applied: Applied,
  tools: Tools,
): Promise<readonly Outcome<RotationAction>[]> {
  const inRank = [...actions].sort((a, b) => rankOf(a) - rankOf(b));
  const bySecret = Map.groupBy(inRank, ({ secret }) => secret);
  const { observation, learnt } = applied.around;
  const inOrder = inOrderOfNeed([...bySecret.keys()], {
    ...observation,
    refused: learnt.refused,
    random: tools.random,
  });
  const outcomes = inOrder.map(async (secret) => {
    const done: Outcome<RotationAction>[] = [];
    const seen = observation.secrets.get(secret);
    let isOurs = seen === undefined || !isUntagged(seen);
    for (const action of bySecret.get(secret) ?? []) {
      const mayBegin = isOurs || action.kind === 'adopt';
      const outcome = mayBegin
        ? await carryOut(action, applied, tools)
        : ({ action, result: 'skipped' } as const);
      done.push(outcome);
      isOurs ||= action.kind === 'adopt' && outcome.result === 'done';
    }
    return done;
  });
  return (await Promise.all(outcomes)).flat();
}

/** What was minted for a secret could not be stored, again and again. */
class NotStoredError extends Error {
  override readonly name = 'NotStoredError';
}

/** By the kind of a finding that keeps an entry from a new token: what the action would have failed with. */
const FAILURES: Readonly<Record<string, new (message: string) => Error>> = {
  [OTHER_SHAPE]: SecretShapeError,
  [OUTSIDE_READER]: OutsiderError,
  [NOT_OURS]: OwnershipError,
};

/**
 * What a person must mend fails the run like the action that it stands for, so that it alarms alike. Undefined: it fails nothing.
 * @param wanted the actions of the plan before it was known what gets no token
 */
function failureOf(
  { kind, token = '', secret = '', tokenId = '', message }: Finding,
  wanted: readonly RotationAction[],
): Outcome<RotationAction> | undefined {
  const failed = (action: RotationAction, error: Error) =>
    ({ action, result: 'failed', error }) as const;
  if (kind === CANNOT_ADOPT) {
    const action = { kind: 'adopt', reason: 'Adopted', token, secret, tokenId } as const;
    return failed(action, new AdoptionError(message));
  }
  if (kind === CANNOT_STORE) {
    const action = { kind: 'mint', reason: 'Due', token, secret } as const;
    return failed(action, new NotStoredError(message));
  }
  if (kind === REPLICAS_UNKNOWN) {
    const check = { kind: 'check-replicas', reason: 'ReplicaLate', regions: [] } as const;
    return failed({ ...check, token, secret }, new ReplicaError(message));
  }
  const action = wanted.find((each) => each.secret === secret && isStoring(each));
  const Failure = FAILURES[kind];
  return Failure && action && failed(action, new Failure(message));
}

/** What is planned, after it was looked which of its secrets get no token; what fails the run is marked. */
async function planPossible(
  observation: Observation,
  request: RotateRequest,
  learnt: Learnt,
  tools: Tools,
) {
  const { policy } = tools;
  const first = planRotation(policy, observation, request, learnt);
  const { actions: wanted } = first;
  const { noToken, unseen } = await findNoToken(wanted, observation, tools);
  // Nothing else that was learnt changes the plan.
  const plan =
    noToken.size === 0 ? first : planRotation(policy, observation, request, { ...learnt, noToken });
  const judged = [...plan.findings, ...unseen].map((found) => ({
    found,
    failure: failureOf(found, wanted),
  }));
  const findings = judged.map(
    ({ found, failure }): Finding => (failure ? { ...found, fails: true } : found),
  );
  return {
    plan: { ...plan, findings: sorted(findings) },
    failures: judged.flatMap(({ failure }) => failure ?? []),
  };
}

/** One run of `rotate`, in Lambda or on a laptop: observe, plan, check the limits, apply. */
export async function runRotation(
  request: RotateRequest,
  runTools: RunTools,
): Promise<RotationReport> {
  const { policy } = runTools;
  const wanted = {
    databases: needsDatabases(policy),
    readFingerprint: fingerprintReader(runTools),
    needsTimes: needsVersionTimes,
  };
  const listed = await observe(runTools, policy, wanted);
  const tools = atApiTime(runTools, listed);
  const { rotated: rotatedBefore, ours } = await findUnlisted(listed, tools);
  const isOurs = (seen: ObservedSecret) => isOursUnlisted(seen, policy);
  const observation = await alsoOurs(listed, ours, tools, policy, { ...wanted, isOurs });
  const thirdMs = timeToThirdRun(request, runTools);
  const [refused, replicas] = await Promise.all([
    findRefused(observation, tools),
    findReplicas(observation, request, tools),
  ]);
  const learnt = { refused, rotatedBefore, replicas, thirdMs, nextMs: runTools.nextRunMs };
  const { plan, failures } = await planPossible(observation, request, learnt, tools);
  const around = { observation, learnt, turns: createTurns(tools) };
  let outcomes: readonly Outcome<RotationAction>[] = [];
  const unasked = notLookedAt(observation, request, learnt, policy);
  const statesAfter = (done: typeof outcomes) =>
    entryStates(policy, observation, changesBy(plan, done, unasked), learnt);
  const before = statesAfter([]);
  let after = before;
  try {
    const report = await runPlan(plan, request, tools, async (actions) => {
      const applied = await applyRotation(actions, { request, around }, tools);
      outcomes = [...applied, ...failures];
      if (outcomes.length > 0) after = statesAfter(outcomes);
      return outcomes;
    });
    if (!request.probe) return { ...report, entries: after };
    const asked = await askConsumersStrings(observation, request, tools);
    const withAcceptance = (state: EntryState) => {
      const acceptance = asked.get(state.secret);
      return acceptance ? { ...state, acceptance } : state;
    };
    return { ...report, entries: after.map(withAcceptance) };
  } finally {
    if (refusesPermissions(plan)) tools.measure({ refusedPlans: 1 });
    const found = {
      states: before,
      refused: learnt.refused,
      isByOrder: (secret: string) => isByOrder(secret, plan.actions, observation),
      names: request.tokens,
    };
    tools.measure(measureTokens(policy, observation, after, found));
  }
}

/** The secrets that are to be adopted, by what a run plans. */
const toAdopt = ({ actions, findings }: Plan<RotationAction>): readonly string[] =>
  [...actions, ...findings].flatMap(({ kind, secret = '' }) =>
    kind === 'adopt' || kind === CANNOT_ADOPT ? [secret] : [],
  );

/** A run for named entries looks at the adoption of no other. */
function notLookedAt(
  observation: Observation,
  { tokens: names }: RotateRequest,
  learnt: Learnt,
  policy: Policy,
): readonly string[] {
  if (!names) return [];
  const isNamed = (secret: string) => names.includes(entryOf(policy, secret)?.name ?? '');
  const ofAll = toAdopt(planRotation(policy, observation, { force: false }, learnt));
  return ofAll.filter((secret) => !isNamed(secret));
}

/** By the name of the secret. Before a run applied anything, nothing is known but that they are not adopted. */
function unadopted(
  plan: Plan<RotationAction>,
  outcomes: readonly Outcome<RotationAction>[],
  unasked: readonly string[],
): ReadonlyMap<string, Unadopted> {
  const tried = outcomes.flatMap(({ action, error }) =>
    error instanceof AdoptionError ? [[action.secret, error.consumers] as const] : [],
  );
  const wanted = [...unasked, ...toAdopt(plan)].map((secret) => [secret, 'unadopted'] as const);
  return new Map<string, Unadopted>([...wanted, ...tried]);
}

const changesBy = (
  plan: Plan<RotationAction>,
  outcomes: readonly Outcome<RotationAction>[],
  unasked: readonly string[],
): EntryChanges => ({
  unadopted: unadopted(plan, outcomes, unasked),
  held: new Map(
    outcomes.flatMap(({ action, heldSince }) =>
      heldSince === undefined ? [] : [[action.secret, heldSince] as const],
    ),
  ),
  mended: new Map(
    outcomes.flatMap(({ action, current }) => (current ? [[action.secret, current] as const] : [])),
  ),
  // What waits under AWSPENDING names itself.
  unseen: new Set(
    outcomes.flatMap(({ action, result, armed }) =>
      result === 'armed' && !armed && action.kind !== 'adopt' ? [action.secret] : [],
    ),
  ),
  armed: new Map(
    outcomes.flatMap(({ action, armed }) => (armed ? [[action.secret, armed] as const] : [])),
  ),
});

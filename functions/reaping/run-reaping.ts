import pLimit from 'p-limit';
import { atApiTime } from '../run/api-time.ts';
import { saidOf } from '../run/message-of.ts';
import { attempt, type Outcome, type Result } from '../run/outcome.ts';
import type { Plan } from '../run/plan.ts';
import type { ReapRequest } from '../run/request.ts';
import { type Report, runPlan } from '../run/run-plan.ts';
import type { RunTools, Tools } from '../run/tools.ts';
import { REPLICAS_UNKNOWN } from '../secrets-manager/secret.ts';
import { MINUTE_MS } from '../time.ts';
import { endProof } from '../tokens/end-proof.ts';
import type { Observation } from '../tokens/observation.ts';
import { observe } from '../tokens/observe.ts';
import { detachPrevious } from './detach-previous.ts';
import { lookAgain, needsTimes } from './look-again.ts';
import { workingStrays } from './plan/inventory.ts';
import {
  labelsThatKeep,
  planReaping,
  reapingContext,
  type Undeletable,
} from './plan/plan-reaping.ts';
import type { ReapingAction, SecretDeletion } from './plan/reaping-action.ts';
import { deleteForeign, retireToken } from './retire-token.ts';

const TIME_NEEDED_MS = MINUTE_MS;

/** R19, if the secret, read again, decides the same. */
async function deleteSecret(
  { secret: name, reason }: SecretDeletion,
  observation: Observation,
  tools: Tools,
): Promise<Result> {
  const { secrets, policy, publish, apiNow } = tools;
  const listed = observation.secrets.get(name);
  const seen = listed && (await lookAgain(listed, observation, tools));
  const kept = seen && labelsThatKeep(seen, reapingContext(policy, name, apiNow()));
  if (kept?.length !== 0 || seen?.secret.replicas) return 'skipped';
  await secrets.delete(name);
  publish({ type: 'Secret Deleted', detail: { secret: name, reason } });
  return 'done';
}

function carryOut(action: ReapingAction, observation: Observation, tools: Tools): Promise<Result> {
  switch (action.kind) {
    case 'delete-secret':
      return deleteSecret(action, observation, tools);
    case 'delete-foreign':
      return deleteForeign(action, tools);
    case 'end-proof':
      return endProof({ token: { id: action.tokenId } }, tools);
    case 'detach-previous':
      return detachPrevious(action, observation, tools);
    case 'supersede':
    case 'fence':
    case 'quarantine':
    case 'strip':
    case 'delete':
      return retireToken(action, observation, tools);
    default:
      action satisfies never;
      throw new Error('unknown kind of action');
  }
}

/** What is deleted was replaced by a token that the same plan may quarantine: as long as that one works, it goes. */
const deletionsFirst = (actions: readonly ReapingAction[]) => [
  ...actions.filter(({ kind }) => kind === 'delete'),
  ...actions.filter(({ kind }) => kind !== 'delete'),
];

/**
 * Carries out the actions of a reaping plan, those of one secret one after the other. Every token and its
 * secret are read again right before they are changed.
 */
async function applyReaping(
  actions: readonly ReapingAction[],
  observation: Observation,
  tools: Tools,
): Promise<readonly Outcome<ReapingAction>[]> {
  const bounded = pLimit(tools.policy.concurrency);
  const carryOutInTime = (action: ReapingAction) =>
    attempt(action, tools.log, async () => {
      if (tools.deadline - tools.now() < TIME_NEEDED_MS) return 'postponed';
      return await carryOut(action, observation, tools);
    });
  const outcomes = new Map<ReapingAction, Outcome<ReapingAction>>();
  const groups = Map.groupBy(actions, (action) => ('secret' in action ? action.secret : action));
  await Promise.all(
    [...groups.values()].map((group) =>
      bounded(async () => {
        for (const action of deletionsFirst(group)) {
          outcomes.set(action, await carryOutInTime(action));
        }
      }),
    ),
  );
  return actions.flatMap((action) => outcomes.get(action) ?? []);
}

/** Names of the databases, for findings alone: if they cannot be listed, tokens are retired all the same. */
async function databaseNames({ api, log }: RunTools): Promise<ReadonlySet<string> | undefined> {
  try {
    const { databases } = await api.listDatabases();
    return new Set(databases.map(({ name }) => name));
  } catch (error) {
    log.warn('the databases could not be listed', { error });
    return undefined;
  }
}

/** Of the secrets that a plan would delete: those that have replicas, with which AWS deletes none, or of which nobody knows it. */
async function findUndeletable(
  actions: readonly ReapingAction[],
  { secrets, log }: Tools,
): Promise<ReadonlyMap<string, Undeletable>> {
  const deletions = actions.filter(({ kind }) => kind === 'delete-secret') as SecretDeletion[];
  const found = await Promise.all(
    deletions.map(async ({ secret }): Promise<readonly [string, Undeletable][]> => {
      try {
        const { replicas } = (await secrets.describe(secret)) ?? {};
        return replicas ? [[secret, replicas.map(({ region }) => region).sort()]] : [];
      } catch (error) {
        log.warn('a secret could not be described', { secret, error });
        return [[secret, { unreadable: saidOf(error) }]];
      }
    }),
  );
  return new Map(found.flat());
}

/** A secret that could not be looked at before its deletion. */
class UndescribedError extends Error {
  override readonly name = 'UndescribedError';
}

/** Deletions that are not planned, because nobody knows whether they are possible. They fail, or nobody would hear of them. */
const undescribed = ({ findings }: Plan<ReapingAction>): readonly Outcome<ReapingAction>[] =>
  findings.flatMap(({ kind, secret = '', message }) => {
    if (kind !== REPLICAS_UNKNOWN) return [];
    const action = { kind: 'delete-secret', reason: 'Removed', secret } as const;
    return { action, result: 'failed' as const, error: new UndescribedError(message) };
  });

/** What is planned, after it was looked which secrets cannot be deleted. */
async function planPossible(observation: Observation, tools: Tools) {
  const plan = planReaping(tools.policy, observation);
  const kept = await findUndeletable(plan.actions, tools);
  return kept.size === 0 ? plan : planReaping(tools.policy, observation, kept);
}

/** One run of `reap`, in Lambda or on a laptop: observe, plan, check the limits, apply. */
export async function runReaping(
  request: ReapRequest,
  runTools: RunTools,
): Promise<Report<ReapingAction>> {
  const { policy } = runTools;
  const observed = await observe(runTools, policy, { needsTimes });
  const databases = await databaseNames(runTools);
  const observation = { ...observed, ...(databases && { databases }) };
  const tools = atApiTime(runTools, observation);
  const plan = await planPossible(observation, tools);
  tools.measure({ workingStrays: workingStrays(policy, observation).length });
  return runPlan(plan, request, tools, async (actions) => [
    ...(await applyReaping(actions, observation, tools)),
    ...undescribed(plan),
  ]);
}

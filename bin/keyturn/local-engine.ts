import { runEnforcement } from '../../functions/enforcement/run-enforcement.ts';
import { runExamination } from '../../functions/examination/run-examination.ts';
import { runReaping } from '../../functions/reaping/run-reaping.ts';
import { askCluster, type Wanted } from '../../functions/revocation/ask-cluster.ts';
import { isTokenRefused, nothingDone } from '../../functions/revocation/not-begun.ts';
import { UNDOING_WAYS } from '../../functions/revocation/plan/order.ts';
import { parseRevokeRequest } from '../../functions/revocation/request.ts';
import { runRevocation } from '../../functions/revocation/run-revocation.ts';
import { runRotate } from '../../functions/rotation/run-rotate.ts';
import type { MeasureTools } from '../../functions/run/look-tools.ts';
import {
  asksTo,
  parseEnforceRequest,
  parseReapRequest,
  parseRotateRequest,
} from '../../functions/run/request.ts';
import type { RunTools } from '../../functions/run/tools.ts';
import { createRuntime } from '../../functions/runtime.ts';
import {
  ANOTHER_IN_HAND,
  ManagementTokenError,
} from '../../functions/secrets-manager/management-token.ts';
import { LONGEST_EXAMINATION_MS, LONGEST_MEASUREMENT_MS, MINUTE_MS } from '../../functions/time.ts';
import type { TokenValue } from '../../functions/token-value.ts';
import { type PolicyFile, PolicyFileError } from '../../lib/policy-file.ts';
import { firingsOf, latestInSeconds } from '../../lib/schedule/gaps.ts';
import { type Engine, isLook, type Job } from './engine.ts';
import { CommandError, sentenceOf } from './failure.ts';
import type { Terminal } from './terminal.ts';
import { THIS_MACHINE } from './waiting.ts';

const RUNS: Record<Job, (event: object, tools: RunTools) => Promise<object>> = {
  rotate: (event, tools) => runRotate(parseRotateRequest(event), tools),
  reap: (event, tools) => runReaping(parseReapRequest(event), tools),
  enforce: (event, tools) => runEnforcement(parseEnforceRequest(event), tools),
  revoke: (event, tools) => runRevocation(parseRevokeRequest(event), tools),
};

/** The time limit of the function in Lambda. */
const CONTEXT = { getRemainingTimeInMillis: () => 15 * MINUTE_MS };

/** As Lambda would return it. */
const asJson = (answer: unknown): unknown => JSON.parse(JSON.stringify(answer));

/** Not everything that an order of `revoke` did, or found, is revoked. */
function verbOf(message: string, { way, result }: { way: unknown; result: unknown }): string {
  if (message === 'revoking') {
    return UNDOING_WAYS.some((each) => each === way) ? 'undoing' : message;
  }
  if (message !== 'revoked' || result === 'deleted' || result === 'frozen') return message;
  return result === 'given-back' ? 'undone' : 'seen';
}

/** A decision as one line: `done rotate telegraf (Due)`, `revoked telegraf 67cd832e: deleted`. */
function lineOf(message: string, details: object): string {
  const { kind, token, secret, database, tokenId, reason, result, way } = { ...details } as Record<
    string,
    unknown
  >;
  const id = tokenId === undefined ? undefined : String(tokenId).slice(0, 8);
  const what = [verbOf(message, { way, result }), kind, token ?? secret ?? database, id]
    .filter(Boolean)
    .join(' ');
  if (result !== undefined) return `${what}: ${result}`;
  return reason === undefined ? what : `${what} (${reason})`;
}

/** The command prints a plan with its findings and warnings; they are not progress. */
const isShownWithPlan = (message: string, details: object) =>
  ['planned', 'found', 'warning'].includes(message) ||
  !('kind' in details || 'tokenId' in details || 'count' in details);

function progressOn({ note, noteStyle }: Terminal): RunTools['log'] {
  const write = (format: 'dim' | 'yellow' | 'red', message: string, details: object) => {
    if (!isShownWithPlan(message, details))
      note(noteStyle(format, `  ${lineOf(message, details)}`));
  };
  return {
    info: (message, details) => write('dim', message, details),
    warn: (message, details) => write('yellow', message, details),
    // The reason of a failure is printed once, at the end.
    error: (message, details) => write('red', message, details),
  };
}

/** Looks that follow each other so closely see the same. */
const SAME_MS = MINUTE_MS;

/** One string of several is looked for after the other: what one look has read, the next ones need not read again. */
function sharedReads() {
  const known = new Map<string, Promise<unknown>>();
  const once =
    <G extends readonly unknown[], T>(what: string, read: (...given: G) => Promise<T>) =>
    (...given: G): Promise<T> => {
      const key = JSON.stringify([what, ...given]);
      if (known.size === 0) setTimeout(() => known.clear(), SAME_MS).unref();
      const reading = (known.get(key) as Promise<T> | undefined) ?? read(...given);
      known.set(key, reading);
      reading.catch(() => known.delete(key)); // it is tried again, and whoever waits gets its error
      return reading;
    };
  return {
    forget: () => known.clear(),
    share: (tools: RunTools): RunTools => ({
      ...tools,
      api: { ...tools.api, listTokens: once('tokens', tools.api.listTokens) },
      secrets: {
        ...tools.secrets,
        list: once('secrets', tools.secrets.list),
        value: once('value', tools.secrets.value),
        versionTimes: once('versions', tools.secrets.versionTimes),
      },
      askSchedules: once('schedules', tools.askSchedules),
    }),
  };
}

/** Where AWS, or the identity provider, does not answer, freeze and delete by id or by leaked string need the management token alone. */
function adviseToken(error: unknown, job: Job, event: object, isInHand: boolean): never {
  const done = job === 'revoke' ? nothingDone(parseRevokeRequest(event)) : 'nothing was done';
  const { cause } = error instanceof Error ? error : {};
  if (isInHand && isTokenRefused(cause)) {
    // Of one that the cluster does not know, the message says it already.
    const advice = cause.status === 403 ? `: ${ANOTHER_IN_HAND}` : '';
    throw new CommandError(`${cause.message}; ${done}${advice}`, { cause: error });
  }
  if (!(error instanceof ManagementTokenError)) throw error;
  throw new CommandError(
    `${error.what}: ${sentenceOf(error.cause)}; ${done}; without it, give the token in KEYTURN_MANAGEMENT_TOKEN or --management-token-file`,
    { cause: error },
  );
}

/**
 * The same engine as in Lambda, in this process. It takes AWS credentials from the SDK's default chain,
 * and the management token from its secret if none is given.
 */
export function createLocalEngine(
  { policy, ca, caMistake }: PolicyFile,
  terminal: Terminal,
  managementToken: TokenValue | undefined,
): Engine {
  if (caMistake !== undefined) throw new PolicyFileError(caMistake);
  const { timeZone, schedules } = policy;
  const { thirdInSeconds } = firingsOf(schedules.rotate, timeZone);
  const runtime = createRuntime({
    policy,
    ca,
    log: progressOn(terminal),
    managementToken,
    nextRunMs: latestInSeconds(schedules.rotate, timeZone) * 1_000,
    thirdRunMs: thirdInSeconds * 1_000,
  });
  const { share, forget } = sharedReads();
  const stop = new AbortController();
  let measuring: Promise<unknown> | undefined;
  return {
    stopMeasuring() {
      stop.abort();
      return measuring ?? Promise.resolve();
    },
    placeOf: () => THIS_MACHINE,
    async call(job, event) {
      if (job === 'rotate' && asksTo('examine', event)) {
        return asJson(await runtime.examine(job, CONTEXT, runExamination, LONGEST_EXAMINATION_MS));
      }
      if (job === 'rotate' && asksTo('measure', event)) {
        const measure = async () => {
          const { runMeasurement } = await import('../../functions/measurement/run-measurement.ts');
          const work = (tools: MeasureTools) => runMeasurement({ ...tools, stopped: stop.signal });
          return runtime.examine(job, CONTEXT, work, LONGEST_MEASUREMENT_MS);
        };
        const begun = measure();
        measuring = begun;
        return asJson(
          await begun.catch((error) =>
            adviseToken(error, job, event, managementToken !== undefined),
          ),
        );
      }
      const isShared = job === 'revoke' && isLook(event);
      const work = (tools: RunTools) => RUNS[job](event, isShared ? share(tools) : tools);
      const answer =
        job === 'revoke'
          ? runtime.run(CONTEXT, work, isShared)
          : runtime.runScheduled({ job, dryRun: isLook(event) }, CONTEXT, work);
      const answered = await answer
        .catch((error) => adviseToken(error, job, event, managementToken !== undefined))
        .finally(() => {
          if (!isShared) forget(); // what is looked at next sees what was done
        });
      return asJson(answered);
    },
    // With the management token, this works without AWS.
    ...(managementToken && {
      askCluster: (wanted: Wanted) =>
        runtime.run(CONTEXT, (tools) => askCluster(tools, wanted), true).then(asJson),
    }),
  };
}

import {
  MANAGEMENT_TOKEN_DAYS,
  SCHEDULED,
  type ScheduledJob,
} from '../../functions/environment.ts';
import { IN_HAND, NEVER, UNREADABLE } from '../../functions/secrets-manager/management-token.ts';
import { DAY_MS } from '../../functions/time.ts';
import type { PlanReport } from './answers.ts';
import { kindOf } from './failure.ts';
import type { StatusVerdict } from './status-verdict.ts';

export interface ManagementTokenStatus {
  readonly verdict: StatusVerdict;
  /** `secret`, `hand` or `identity provider`. Absent: no answer says it. */
  readonly by?: string | undefined;
  /** `2026-01-31T00:00:00Z`, `never`, or `unreadable`. Absent: it is not known. */
  readonly expiresAt?: string;
  readonly days?: number;
  /** No run can use it: the cluster refuses it, its secret has none, or the identity provider gives none. Absent: nothing shows that. */
  readonly useless?: true;
  /** As `useless`, of these functions alone. Absent: of none, or of all. */
  readonly uselessTo?: readonly ScheduledJob[];
  /** The cluster refuses the one that was given by hand, and nobody looked at the one that runs use. */
  readonly refused?: true;
}

/** Errors of a secret in which no run finds a token, and of a provider that gives none. */
const WITHOUT_TOKEN = ['AbsentTokenError', 'MisshapenTokenError', 'RefusedClientError'];

const REFUSED = '(the cluster refuses the ';
const REFUSED_IN_HAND = `${REFUSED}management token ${IN_HAND}`;

const says = (error: unknown, words: string): boolean =>
  error instanceof Error && (error.message.includes(words) || says(error.cause, words));

const isOfKind = (error: unknown, kinds: readonly string[]): boolean =>
  error instanceof Error && (kinds.includes(kindOf(error)) || isOfKind(error.cause, kinds));

/** Whether somebody was asked who had no token that the cluster takes, and who has what runs have. */
const isTokenUseless = (error: unknown): boolean =>
  !says(error, REFUSED_IN_HAND) && (isOfKind(error, WITHOUT_TOKEN) || says(error, REFUSED));

/** What is known of the token that runs use. Pure. */
export function managementTokenStatus(
  reports: readonly PlanReport[],
  looks: Readonly<Record<ScheduledJob, unknown>>,
  now: number,
): ManagementTokenStatus {
  const token = reports.find((each) => each.managementToken)?.managementToken;
  const uselessTo = SCHEDULED.filter((job) => isTokenUseless(looks[job]));
  if (token !== undefined) {
    const found = foundToken(token, now);
    return uselessTo.length > 0 ? { ...found, verdict: 'not well', uselessTo } : found;
  }
  if (uselessTo.length > 0) return { verdict: 'not well', useless: true };
  const isHandRefused = Object.values(looks).some((each) => says(each, REFUSED_IN_HAND));
  return isHandRefused ? { verdict: 'unknown', by: 'hand', refused: true } : { verdict: 'unknown' };
}

/** As whoever had it tells of it. */
function foundToken(
  { by, expiresAt }: NonNullable<PlanReport['managementToken']>,
  now: number,
): ManagementTokenStatus {
  // Every run has a new one, so none of them expires unseen.
  if (by === 'identity provider') return { verdict: 'well', by };
  if (expiresAt === undefined) return { verdict: 'unknown', by };
  if (expiresAt === NEVER) return { verdict: 'well', by, expiresAt };
  if (expiresAt === UNREADABLE) return { verdict: 'unknown', by, expiresAt };
  const days = (Date.parse(expiresAt) - now) / DAY_MS;
  const verdict = days < MANAGEMENT_TOKEN_DAYS ? 'not well' : 'well';
  return { verdict, by, expiresAt, days: Math.floor(days) };
}

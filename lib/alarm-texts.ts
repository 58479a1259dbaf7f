import { MANAGEMENT_TOKEN_DAYS, SCHEDULED } from '../functions/environment.ts';
import type { Policy } from '../functions/policy/policy.ts';
import type { MetricsWanted } from './deployment.ts';
import { isWatched } from './schedule/mistakes.ts';

/** What an alarm tells whoever hears it. */
export interface AlarmText {
  /** Heading in docs/runbook.md. */
  readonly heading: string;
  readonly sentence: string;
}

/** Of what the functions measure, by the id of the alarm's construct. */
export const MEASURED = {
  RotationOverdue: {
    heading: 'A rotation is overdue',
    sentence: 'Tokens should have been rotated and were not',
  },
  TokenUnusable: {
    heading: 'Consumers have no token that works',
    sentence: 'Consumers are refused, or soon will be, or nobody can know whether they are',
  },
  SecretDeleted: {
    heading: 'A secret is scheduled for deletion',
    sentence: 'Consumers cannot read secrets that are scheduled for deletion',
  },
  LongHold: {
    heading: 'A hold is old',
    sentence: 'Secrets have been on hold for more than a week',
  },
  WorkingStray: {
    heading: 'A stray token works',
    sentence: 'Tokens with this owner still work, and no secret of it has them',
  },
  TokenNearExpiry: {
    heading: 'A token is near its expiry',
    sentence: 'Tokens that consumers use expire soon',
  },
  DatabaseDrift: {
    heading: 'Databases differ from their rules',
    sentence: 'Databases differ from their rules, and Keyturn does not change them',
  },
  OutageMended: {
    heading: 'Consumers had no token that worked',
    sentence: 'Consumers were refused until a run mended it',
  },
  PlanRefused: {
    heading: 'A plan was refused',
    sentence: 'A run refused a part of its own plan',
  },
  RevocationUnconfirmed: {
    heading: 'A revocation is not confirmed',
    sentence: 'It is not proven that every revoked token is refused',
  },
  EventsLost: {
    heading: 'Events were lost',
    sentence: 'EventBridge did not take events, and they are not sent again',
  },
  ManagementTokenNearExpiry: {
    heading: 'The management token is near its expiry',
    sentence: `The management token expires within ${MANAGEMENT_TOKEN_DAYS} days`,
  },
} satisfies Record<string, AlarmText>;

export const UNDELIVERED: AlarmText = {
  heading: 'Invocations wait in the failure queue',
  sentence: 'A schedule could not deliver invocations',
};

/** @param id of the function's construct, here and below */
export const failedText = (id: string): AlarmText => ({
  heading: 'A function failed',
  sentence: `${id} failed`,
});

export const notRunningText = (id: string, expression: string): AlarmText => ({
  heading: 'A function is not running',
  sentence: `${id} has not run as "${expression}" says`,
});

export const droppedText = (id: string): AlarmText => ({
  heading: 'An invocation was dropped',
  sentence: `Lambda gave up an event for ${id}, which is not tried again`,
});

/** How the description of every alarm of an owner begins: their names are CloudFormation's. */
export const beginningOf = (owner: string): string => `Keyturn (${owner}): `;

export const descriptionOf = (owner: string, { sentence, heading }: AlarmText): string =>
  `${beginningOf(owner)}${sentence}. See "${heading}" in docs/runbook.md.`;

/** An alarm that the stack of a policy makes. */
export interface WantedAlarm {
  /** As the glossary has it, such as `RotateFailed`. */
  readonly name: string;
  readonly description: string;
  /** It looks at what the functions measure: without metrics it is missing. */
  readonly isMeasured: boolean;
}

/** Functions without a schedule, by the ids of their constructs. */
const ORDERED = ['Revoke', 'SecretsManagerRotation'];

/** The alarms that lib/alarms.ts makes, where no property of the construct says otherwise than the policy. */
export function wantedAlarms(
  { owner, cluster, schedules, timeZone }: Policy,
  metrics: MetricsWanted,
): readonly WantedAlarm[] {
  const scheduled = SCHEDULED.flatMap((job): readonly (readonly [string, AlarmText])[] => {
    const id = job.replace(/^./, (letter) => letter.toUpperCase());
    const isSilent = schedules.paused || !isWatched(schedules[job], timeZone);
    return [
      [`${id}Failed`, failedText(id)],
      ...(isSilent ? [] : [[`${id}NotRunning`, notRunningText(id, schedules[job])] as const]),
    ];
  });
  const ordered = ORDERED.flatMap((id): readonly (readonly [string, AlarmText])[] => [
    [`${id}Failed`, failedText(id)],
    [`${id}Dropped`, droppedText(id)],
  ]);
  const hasStoredToken = cluster.oauth === undefined;
  const measured = Object.entries(MEASURED).filter(
    ([name]) => metrics !== 'none' && (hasStoredToken || name !== 'ManagementTokenNearExpiry'),
  );
  const alarm =
    (isMeasured: boolean) =>
    ([name, text]: readonly [string, AlarmText]) => ({
      name,
      description: descriptionOf(owner, text),
      isMeasured,
    });
  return [
    ...[['Undelivered', UNDELIVERED] as const, ...scheduled, ...ordered].map(alarm(false)),
    ...measured.map(alarm(true)),
  ];
}

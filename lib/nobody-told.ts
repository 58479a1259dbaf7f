import type { PolicyIssue } from '../functions/policy/policy-error.ts';
import type { Deployment } from './deployment.ts';

export const ALARMS = 'deployment.alarms';

/** What somebody should know whose alarms tell nobody. */
export const NOBODY =
  'found nobody whom alarms tell, expected a topic or e-mail addresses: an alarm changes its state, and nobody hears of it; write {emails: [on-call@example.com]}, or in an app of your own alarmTopic or alarmEmails, or actions of your own for keyturn.alarms';

/** Whoever wants no metrics looks elsewhere, unless the file says something of alarms. */
export const areToTell = ({ alarms, metrics }: Pick<Deployment, 'alarms' | 'metrics'>): boolean =>
  metrics !== 'none' || alarms !== undefined;

/** Of a file by itself: an app may name somebody in its place. */
export function recipientWarnings(deployment: Deployment): PolicyIssue[] {
  const { topic, emails } = deployment.alarms ?? {};
  const isTold = topic !== undefined || emails !== undefined;
  return isTold || !areToTell(deployment) ? [] : [{ path: ALARMS.split('.'), message: NOBODY }];
}

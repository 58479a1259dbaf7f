import type { Policy } from '../functions/policy/policy.ts';
import type { PolicyIssue } from '../functions/policy/policy-error.ts';
import { DAY_MS } from './schedule/gaps.ts';

const LONGEST_MS = 366 * DAY_MS;

/**
 * Approvals to shorten retention that end in the far future: as good as without a date, which is what they are for.
 * @param now milliseconds since 1970
 */
export function approvalMistakes({ databases }: Policy, now: number): PolicyIssue[] {
  return databases.flatMap(({ approve }, index) => {
    const until = approve?.shortenRetentionUntil;
    if (until === undefined || Date.parse(until) <= now + LONGEST_MS) return [];
    const latest = new Date(now + LONGEST_MS).toISOString().slice(0, 10);
    const message = `found "${until}", expected a date within a year, ${latest} at the latest: until then any run may shorten retention, which hides data`;
    return [{ path: ['databases', index, 'approve', 'shortenRetentionUntil'], message }];
  });
}

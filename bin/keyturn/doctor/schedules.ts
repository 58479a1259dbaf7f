import { SCHEDULED, scheduleName } from '../../../functions/environment.ts';
import type { Check, Verdict } from '../../../functions/examination/check.ts';
import type { Policy } from '../../../functions/policy/policy.ts';
import { createScheduleReader } from '../../../functions/schedules/reader.ts';
import type { ScheduleStatus } from '../../../functions/schedules/schedule-status.ts';
import { formatState } from '../../../functions/schedules/schedule-text.ts';
import { unseen } from './look.ts';

/** @param isPaused whether the policy itself stops the schedules */
export function judgeSchedule(status: ScheduleStatus, isPaused: boolean): Verdict {
  const found = formatState(status);
  if (status.state === 'on') return { state: 'ok', found };
  if (status.state === 'unknown') return { state: 'unknown', found };
  if (status.state === 'missing') {
    const advice = 'deploy the stack (npx cdk deploy): until then nothing starts its runs';
    return { state: 'fail', found: 'no such schedule in this account and Region', advice };
  }
  return isPaused
    ? {
        state: 'warn',
        found: `${found}; the policy says schedules.paused`,
        advice: 'take it out and deploy, when the first plan is as you want it',
      }
    : { state: 'fail', found, advice: 'keyturn resume starts it; until then nothing is renewed' };
}

export function lookAtSchedules({ owner, schedules }: Policy): Promise<readonly Check[]> {
  const { read } = createScheduleReader();
  const looks = SCHEDULED.map(async (job): Promise<Check> => {
    const name = scheduleName(owner, job);
    const check = `schedule of ${job}`;
    try {
      return { check, ...judgeSchedule(await read(name), schedules.paused) };
    } catch (error) {
      return unseen(check, `scheduler:GetSchedule on ${name}`, error);
    }
  });
  return Promise.all(looks);
}

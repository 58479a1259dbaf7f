import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Stage } from './stage.ts';

const EVERY_MS = 60_000;
/** Fills in EventBridge Scheduler's context attribute, as MiniStack does not. */
const SCHEDULED_TIME = '<aws.scheduler.scheduled-time>';

const listSchema = z.object({ Schedules: z.array(z.object({ Name: z.string() })) });
const scheduleSchema = z.object({ Target: z.object({ Arn: z.string(), Input: z.string() }) });

async function targetsOf({ aws }: Stage) {
  const { Schedules } = listSchema.parse(await aws('scheduler', 'list-schedules'));
  const found = Schedules.map(({ Name }) => aws('scheduler', 'get-schedule', '--name', Name));
  return (await Promise.all(found)).map((each) => scheduleSchema.parse(each).Target);
}

async function fire(stage: Stage, { Arn, Input }: { Arn: string; Input: string }): Promise<void> {
  const event = Input.replaceAll(SCHEDULED_TIME, `${new Date().toISOString().slice(0, 19)}Z`);
  const asynchronous = ['--invocation-type', 'Event', '--payload', event, '/dev/null'];
  await stage.aws('lambda', 'invoke', '--function-name', Arn, ...asynchronous);
}

/**
 * Fires the deployed schedules once a minute, with the input that they have in the stack. They are
 * paused there, because MiniStack would fire them without filling in that input, and every five
 * minutes at most.
 */
export async function startFiring(stage: Stage): Promise<{ stop(): Promise<void> }> {
  const targets = await targetsOf(stage);
  const stopping = new AbortController();
  const fireUntilStopped = async () => {
    while (!stopping.signal.aborted) {
      await Promise.all(targets.map((target) => fire(stage, target)));
      await sleep(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  // An error waits until the schedules are stopped, where the report tells of it.
  const ended = fireUntilStopped().then(
    () => undefined,
    (error: unknown) => error,
  );
  return {
    async stop() {
      stopping.abort();
      const error = await ended;
      if (error !== undefined) throw error;
    },
  };
}

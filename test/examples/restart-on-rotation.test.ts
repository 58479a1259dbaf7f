import { expect, test } from 'vitest';
import { HOUR } from '../world/policy.ts';
import { readYaml } from './read-file.ts';

test('what ECS refuses is tried again for a day, by a state machine that lives as long', () => {
  const { StateMachineType, Definition } = readYaml('restart-on-rotation/template.yaml')[0]
    .Resources.Restart.Properties;
  const [retry, ...more] = Definition.States.NewTasks.Retry;
  const { IntervalSeconds, BackoffRate, MaxDelaySeconds, MaxAttempts } = retry;
  const waits = Array.from({ length: MaxAttempts }, (_none, attempt) =>
    Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** attempt),
  );
  expect(more).toEqual([]);
  expect(retry.ErrorEquals).toEqual(['States.ALL']);
  expect(waits.reduce((sum, seconds) => sum + seconds) * 1_000).toBeGreaterThan(24 * HOUR);
  // An EXPRESS one ends after five minutes.
  expect(StateMachineType).toBe('STANDARD');
});

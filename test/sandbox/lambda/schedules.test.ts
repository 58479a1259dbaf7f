import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSchedules } from '../../../sandbox/lambda/schedules.ts';

const schedule = (State: string, ScheduleExpression = 'rate(30 minutes)') => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: {
    ScheduleExpression,
    State,
    Target: {
      Arn: { 'Fn::GetAtt': ['Rotate1234', 'Arn'] },
      Input:
        '{"scheduled":{"at":"<aws.scheduler.scheduled-time>","nextInSeconds":1800,"thirdInSeconds":5400}}',
    },
  },
});

function schedulesIn(Resources: object) {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-schedules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'Stack.template.json'), JSON.stringify({ Resources }));
  return readSchedules(folder, 'Stack');
}

test('a firing has the input of the template, with the time for which it was scheduled', () => {
  const [found, ...more] = schedulesIn({ on: schedule('ENABLED'), off: schedule('DISABLED') });
  expect(more).toEqual([]);
  expect(found).toMatchObject({ logicalId: 'Rotate1234', periodMs: 1_800_000 });
  expect(found?.eventAt(Date.UTC(2026, 2, 2, 12, 30))).toEqual({
    scheduled: { at: '2026-03-02T12:30:00Z', nextInSeconds: 1_800, thirdInSeconds: 5_400 },
  });
});

test('a cron expression is refused, not taken for another period', () => {
  expect(() => schedulesIn({ on: schedule('ENABLED', 'cron(0 3 * * ? *)') })).toThrow(
    'expected rate(…)',
  );
});

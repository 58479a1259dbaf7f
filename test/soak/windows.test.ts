import { expect, test } from 'vitest';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { withinWindows } from '../../functions/policy/window.ts';
import { lives, policyWith, SECRET } from '../crash/policy.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import { createOracles } from './oracles.ts';
import { isOpen, textOf, type Windows } from './windows.ts';

const ALL: Windows = {
  timeZone: 'Europe/Berlin',
  windows: [
    { days: [0], from: 2, to: 6 },
    { days: [2, 5], from: 22, to: 4 },
  ],
};

test('windows are read as the policy reads them, in the nights when the clocks change, too', () => {
  const declared = { ...lives, windows: ALL.windows.map(textOf) };
  const cluster = { url: 'https://influx.example.com', managementToken: 'management' };
  const document = policyWith({}, { cluster, timeZone: ALL.timeZone, defaults: declared });
  const { defaults, timeZone } = parsePolicy(document);
  for (const month of [2, 9]) {
    const from = Date.UTC(2026, month, 20);
    const instants = Array.from({ length: 14 * 96 }, (_, step) => from + step * 15 * MINUTE);
    expect(instants.map((at) => isOpen(ALL, at))).toEqual(
      instants.map((at) => withinWindows(defaults.windows, timeZone, at)),
    );
  }
});

test('a rotation that can wait is seen outside of the windows, and none that a person asks for', async () => {
  const policy = policyWith({ telegraf: { permissions: { write: ['metrics'] } } });
  const world = await openWorldForTest(policy, { databases: ['metrics', 'events'] });
  // The world begins on a Monday, at noon.
  const windows = { timeZone: 'UTC', windows: [{ days: [0], from: 2, to: 6 }] };
  const about = { renewBefore: 6 * HOUR, everyMs: HOUR, rising: () => [] };
  const oracles = createOracles(world, { ...about, windows });
  const found = () => oracles.found.splice(0).map(({ text }) => text.replace(/\b\w{8}\b/, ''));
  const rotate = async (event?: object) => {
    await world.rotate(event);
    await world.wait(HOUR);
    await world.rotate();
  };
  await rotate();
  expect(found()).toEqual([]);
  await world.wait(DAY);
  const asked = { tokens: ['telegraf'], force: true };
  await oracles.asksFor(SECRET, () => rotate(asked));
  expect(found()).toEqual([]);
  await world.wait(2 * DAY);
  await rotate();
  expect(found()).toEqual([`windows:  was promoted in ${SECRET} outside of them`]);
});

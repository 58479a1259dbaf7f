import { expect, test } from 'vitest';
import type { RevocationReport } from '../../../functions/revocation/report.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, policyWith, writer } from '../../world/policy.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const policy = policyWith(Object.fromEntries(names.map((name) => [name, writer])));

// Both numbers are goals of docs/performance.md.
test.each(['replace', 'freeze', 'delete'] as const)(
  'an order to %s many tokens lists all of the cluster three times at most, and reads each of them once',
  async (way) => {
    const world = await openWorldForTest(policy);
    await world.rotate();
    await world.wait(DAY);
    const asked: string[] = [];
    world.intercept(({ caller, operation }, effect) => {
      if (caller !== undefined) asked.push(operation);
      return Promise.resolve(effect());
    });
    const confirm = new URL(world.cluster.url).host;
    const { result } = await world.revoke({ all: true, confirm, reason: 'a drill', way });
    world.intercept();
    expect((result as RevocationReport).done).toBe(true);
    const count = (operation: string) => asked.filter((each) => each === operation).length;
    expect(count('GET /tokens')).toBeLessThanOrEqual(3);
    expect(count('GET /tokens/{id}')).toBeLessThanOrEqual(names.length);
  },
);

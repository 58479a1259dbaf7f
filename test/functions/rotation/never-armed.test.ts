import { expect, test } from 'vitest';
import { disturb, faults } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

/**
 * A token in use gets its permissions by one request and its marker by the next one. A run that dies between them leaves
 * permissions that Keyturn gave, and nothing that says so: nobody may take them for a person's.
 */
test.each([
  ['takes one away', { permissions: { write: ['telemetry', 'quality'] } }],
  ['puts another in its place', { permissions: { write: ['quality'] } }],
])(
  'a run dies while it arms a first token, and the policy then %s: the token follows the policy',
  async (_how, before) => {
    const world = await openWorldForTest(policyWith({ telegraf: before }));
    await disturb(world, () => world.rotate(), 1, {
      meet: faults['killed after the effect'],
      counts: ({ operation }) => operation === 'PATCH /tokens/{id}',
    });
    const changed = world.deploy(policyWith({ telegraf: writer }));
    const findings: unknown[] = [];
    for (let hour = 0; hour < 6; hour += 1) {
      await world.wait(HOUR);
      const { result } = await changed.rotate();
      findings.push(...result.plan.findings);
    }
    expect(findings).not.toContainEqual(expect.objectContaining({ kind: 'PermissionsChanged' }));
    const { AWSCURRENT } = world.holders(TELEGRAF);
    const current = world.tokens(TELEGRAF).find(({ id }) => id === AWSCURRENT);
    expect(current?.permissions).toEqual([{ action: 'write', resource: 'telemetry' }]);
  },
);

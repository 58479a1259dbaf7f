import { expect, test } from 'vitest';
import type { RevocationReport } from '../../../functions/revocation/report.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';

const WAYS = ['replace', 'freeze', 'delete'] as const;
const policy = policyWith({ telegraf: writer, other: writer });
const force = { tokens: ['telegraf'], force: true };

/** What an order says of a token that works afterwards. */
function saidOf(report: RevocationReport, tokenId: string) {
  return {
    confirmed: report.confirmed,
    told: [...report.unconfirmed, ...report.tokens.flatMap((each) => each.unconfirmed ?? [])].some(
      (each) => each.includes(tokenId),
    ),
  };
}

test.each(
  WAYS.flatMap((way) =>
    [0, 2 * MINUTE].flatMap((waits) => [false, true].map((rotated) => ({ way, waits, rotated }))),
  ),
)(
  'to $way a token whose secret was made anew says that it still works, where the listing shows the former secret: $waits ms later, rotated $rotated',
  async ({ way, waits, rotated }) => {
    const world = await openWorldForTest(policy);
    await world.rotate();
    await world.wait(2 * DAY);
    const string = world.string(TELEGRAF);
    const { AWSCURRENT: id = '' } = world.holders(TELEGRAF);
    world.aws.listLagMs = 4 * MINUTE;
    await world.people.deleteSecret(TELEGRAF, 'for good');
    await world.people.createSecret(TELEGRAF, undefined, { 'keyturn:owner': 'prod' });
    await world.wait(waits);
    if (rotated) await world.rotate(force);
    const { result, error } = await world.revoke({ token: 'telegraf', way, reason: 'leaked' });
    expect(error).toBeUndefined();
    expect(world.accepts(string)).toBe(true);
    expect(saidOf(result as RevocationReport, id)).toEqual({ confirmed: false, told: true });
  },
);

/** A token that two others have replaced: no label is on its version, and it works through its grace period. */
async function openReplaced() {
  const world = await openWorldForTest(policy);
  await world.rotate();
  await world.wait(2 * DAY);
  await world.reap();
  const string = world.string(TELEGRAF);
  const { AWSCURRENT: id = '' } = world.holders(TELEGRAF);
  for (const _ of [1, 2]) {
    await world.rotate(force);
    await world.wait(HOUR);
  }
  return { world, id, string };
}

/** An order during which a person changes a token, before a call of a given number. */
async function revokeWhile(
  { world, id }: Awaited<ReturnType<typeof openReplaced>>,
  { way, at, change }: { way: (typeof WAYS)[number]; at: number; change: object },
) {
  let calls = 0;
  world.intercept(async (call, effect) => {
    const isCounted = call.caller !== undefined && call.server !== 'data-plane';
    if (isCounted) calls += 1;
    if (isCounted && calls === at) {
      await world.beside(call, () => world.people.changeToken(id, change));
    }
    return effect();
  });
  const answer = await world.revoke({ token: 'telegraf', way, reason: 'leaked' });
  world.intercept();
  return { error: answer.error, report: answer.result as RevocationReport };
}

test('of a token that loses its marker and can do nothing any more nobody says that it may work', async () => {
  const opened = await openReplaced();
  const change = { description: 'hall 1', permissions: [] };
  const { report } = await revokeWhile(opened, { way: 'replace', at: 9, change });
  expect(JSON.stringify(report.unconfirmed)).not.toContain(opened.id);
});

test.each(WAYS)(
  'to %s a token that loses its marker in the moment says that it still works, or ends it',
  async (way) => {
    const moments = [5, 7, 9, 11, 13];
    let [passed, ended] = [0, 0];
    for (const at of moments) {
      const opened = await openReplaced();
      const change = { description: 'hall 1' };
      const { error, report } = await revokeWhile(opened, { way, at, change });
      if (error) continue;
      if (!opened.world.accepts(opened.string)) {
        ended += 1;
        continue;
      }
      passed += 1;
      const said = saidOf(report, opened.id);
      expect(said, `at call ${at}`).toEqual({ confirmed: false, told: true });
    }
    expect(passed + ended).toBe(moments.length);
  },
);

import { describe, expect, it } from 'vitest';
import { MINUTE, TELEGRAF } from '../world/policy.ts';
import { denying, fired, openRotated, type Told, tell } from './told-history.ts';

const DELETED_BY_HAND = /^not Keyturn, or /;

/** Of the last rotation. */
const oldStringIn = ({ rotations = [] }: Told) => rotations.at(-1)?.steps.at(-1);

describe('history, of who did what', () => {
  it('says of a token that somebody else deleted that no log has it, unless not all logs were read', async () => {
    const { world, run } = await openRotated();
    await world.reap(fired(world));
    await world.wait(MINUTE);
    const tokenId = world.holders(TELEGRAF).AWSCURRENT ?? '';
    await world.people.deleteToken(tokenId);
    const deletions = ({ entries }: Told) =>
      entries.filter(({ what }) => what === 'deleted').map((each) => [each.tokenId, each.by]);

    // Lines are there a while after they were written: that none is there yet says nothing.
    const soon = await tell(run, '--since', '90d');
    expect(deletions(soon.told)).toEqual([
      [tokenId, expect.stringMatching(/^by whom is not known: .* or not yet$/)],
    ]);

    await world.wait(2 * MINUTE);
    await world.rotate(fired(world));
    const seen = await tell(run, '--since', '90d');
    expect(seen.code).toBe(0);
    expect(deletions(seen.told)).toEqual([[tokenId, expect.stringMatching(DELETED_BY_HAND)]]);

    world.intercept(denying('/aws/lambda/keyturn-prod-reap'));
    const unseen = await tell(run, '--since', '90d');
    expect(unseen.code).toBe(3);
    expect(deletions(unseen.told)).toEqual([
      [tokenId, expect.stringMatching(/^by whom is not known: /)],
    ]);
  });

  it('says of what somebody deleted before an order came not that it was the order', async () => {
    const { world, run } = await openRotated();
    await world.reap(fired(world));
    await world.wait(MINUTE);
    const tokenId = world.holders(TELEGRAF).AWSCURRENT ?? '';
    await world.people.deleteToken(tokenId);
    await world.wait(5 * MINUTE);
    await run(['revoke', '--token-id', tokenId, '--delete', '--reason', 'odd writes', '--yes']);
    await world.wait(2 * MINUTE);
    await world.rotate(fired(world));

    const { told } = await tell(run, 'telegraf');
    const [deletion] = told.entries.filter((each) => each.what === 'deleted');
    expect(deletion).toMatchObject({ tokenId, by: expect.stringMatching(DELETED_BY_HAND) });
  });

  it('says of its own deletion whose answer was lost that it was perhaps its own', async () => {
    const { world, run } = await openRotated();
    let isAway = false;
    world.intercept(async (call, effect) => {
      if (call.server !== 'management-api') return effect();
      if (!isAway && call.operation?.startsWith('DELETE ')) {
        isAway = true;
        await effect();
      }
      return isAway ? { status: 503, body: 'down' } : effect();
    });
    await world.revoke({ way: 'delete', token: 'telegraf', reason: 'odd writes', by: 'ada' });
    world.intercept();
    await world.wait(5 * MINUTE);
    await world.reap(fired(world));
    await world.wait(2 * MINUTE);
    await world.reap(fired(world));

    const { told } = await tell(run, 'telegraf');
    const [deletion] = told.entries.filter((each) => each.what === 'deleted');
    expect(deletion).toMatchObject({ by: expect.stringMatching(/^perhaps ada, /) });
  });

  it('says the same of one of many requests that failed alike, hours after the first', async () => {
    const { world, run } = await openRotated();
    const order = { way: 'delete', token: 'telegraf', reason: 'odd writes', by: 'ada' };
    let isAway = false;
    for (const takesEffect of [false, false, true]) {
      world.intercept(async (call, effect) => {
        if (call.server !== 'management-api') return effect();
        const isDeletion = call.operation?.startsWith('DELETE ') ?? false;
        if (isDeletion && takesEffect && !isAway) await effect();
        isAway ||= isDeletion;
        return isAway ? { status: 503, body: 'down' } : effect();
      });
      await world.revoke(order);
      isAway = false;
      world.intercept();
      await world.wait(3 * 60 * MINUTE);
    }
    await world.reap(fired(world));
    await world.wait(2 * MINUTE);
    await world.reap(fired(world));

    const { told } = await tell(run, 'telegraf');
    const failed = told.entries.find(({ what }) => what === 'failed: delete');
    expect(failed?.count).toBeGreaterThan(1);
    const [deletion] = told.entries.filter((each) => each.what === 'deleted');
    expect(deletion).toMatchObject({ by: expect.stringMatching(/^perhaps ada, /) });
  });

  it('knows that a token which was deleted before its rotation was the former one', async () => {
    const { world, run } = await openRotated();
    const former = world.holders(TELEGRAF).AWSCURRENT ?? '';
    await world.people.deleteToken(former);
    await world.wait(10 * MINUTE);
    await world.rotate(fired(world));

    const { told } = await tell(run, 'telegraf');
    expect(told.rotations?.at(-1)).toMatchObject({ formerId: former });
    expect(oldStringIn(told)?.note).toMatch(/^deleted; no evidence/);
  });

  it('claims not that there was no token before, where a person had saved another string', async () => {
    const { world, run } = await openRotated();
    await world.people.saveValue(TELEGRAF, '{"token":"apiv3_of_nobody"}');
    await world.wait(10 * MINUTE);
    await run(['rotate', 'telegraf']);

    const { told } = await tell(run, 'telegraf');
    expect(oldStringIn(told)?.note).toBe('no evidence in what was read');
    expect(told.rotations?.at(-1)?.steps.map(({ note = '' }) => note)).not.toContainEqual(
      expect.stringContaining('first version'),
    );
  });

  it('says not that Keyturn promoted what a person moved AWSCURRENT to', async () => {
    const { world, run } = await openRotated();
    await world.wait(30 * 24 * 60 * MINUTE);
    await world.rotate(fired(world));
    await world.wait(MINUTE);
    const { AWSPENDING: pending = '' } = world.holders(TELEGRAF);
    await world.people.makeCurrent(TELEGRAF, world.labels(TELEGRAF).AWSPENDING ?? '');
    await world.wait(20 * MINUTE);
    await world.rotate(fired(world));

    const { told } = await tell(run, 'telegraf');
    const promoted = told.entries.filter(
      ({ what, tokenId }) => what === 'promoted' && tokenId === pending,
    );
    expect(promoted).toMatchObject([
      { by: 'Keyturn, or who moved AWSCURRENT', why: expect.stringMatching(/^then or later: /) },
    ]);
  });

  it('tells of the token of a secret that was deleted for good and made anew', async () => {
    const { world, run } = await openRotated();
    const former = world.holders(TELEGRAF).AWSCURRENT ?? '';
    await world.people.deleteSecret(TELEGRAF, 'for good');
    await world.wait(10 * MINUTE);
    await world.rotate(fired(world));
    await world.wait(10 * MINUTE);

    const { told } = await tell(run, 'telegraf');
    const minted = told.entries.find(
      ({ what, tokenId }) => what === 'minted' && tokenId === former,
    );
    expect(minted?.sources).toContain('cluster');
    expect(oldStringIn(told)?.note).not.toBe('none is known that was there before');
  });

  it('takes what a rotation of Secrets Manager left that failed for no save, and for nothing stored', async () => {
    const { world, run } = await openRotated();
    world.intercept(async (call, effect) =>
      call.operation === 'POST /tokens' ? { status: 503, body: 'down' } : effect(),
    );
    const version = '11111111-2222-4333-8444-555555555555';
    await world.rotateSecret(TELEGRAF, { ClientRequestToken: version });
    const began = world.clock.now();
    world.intercept();
    await world.wait(30 * MINUTE);
    const ofOthers = async () =>
      (await tell(run, 'telegraf')).told.entries.filter(({ what }) => what === 'saved by others');
    expect(await ofOthers()).toMatchObject([{ by: 'a person, or Secrets Manager’s rotation' }]);

    for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
      const step = { Step, SecretId: TELEGRAF, ClientRequestToken: version };
      await world.invoke('secrets-manager-rotation', step);
    }
    const { told } = await tell(run, 'telegraf');
    const stored = told.rotations?.at(-1)?.steps.find(({ step }) => step === 'stored');
    expect(Date.parse(stored?.at ?? '')).toBeGreaterThan(began);
    expect(told.entries.map(({ what }) => what)).toContain('rotation begun');
  });

  it('says of a token whose label is off that it works until it is quarantined', async () => {
    const { world, run } = await openRotated();
    await world.wait(25 * 60 * MINUTE);
    await world.reap(fired(world));
    await world.reap(fired(world));

    const { told } = await tell(run, 'telegraf');
    expect(told.entries.map(({ what }) => what)).toContain('grace period over');
    expect(oldStringIn(told)?.note).toBe('not yet: it works until it is quarantined');
  });
});

import { expect, test } from 'vitest';
import { HOUR, MINUTE, TELEGRAF } from '../../world/policy.ts';
import { openWaiting } from './open-waiting.ts';

test.each(['reap', 'rotate'] as const)(
  'a token that a person had promoted, and went back from, is one that consumers may have: its end is told, also where %s looks first',
  async (first) => {
    const { world } = await openWaiting();
    const { AWSCURRENT: old = '', AWSPENDING: pending = '' } = world.labels(TELEGRAF);
    const { AWSPENDING: tokenId = '' } = world.holders(TELEGRAF);
    await world.wait(2 * HOUR);
    await world.people.makeCurrent(TELEGRAF, pending);
    await world.wait(20 * MINUTE);
    await world.people.makeCurrent(TELEGRAF, old);
    await world[first]();
    // Until another one is promoted, and nothing but marks tells of the one that was tried.
    while (world.labels(TELEGRAF).AWSCURRENT === old) {
      await world.rotate();
      await world.reap();
      await world.wait(HOUR / 2);
    }
    await world.people.deleteToken(tokenId);

    const { result } = await world.rotate();
    expect(result?.entries).toMatchObject([{ condition: 'cut-short' }]);
  },
);

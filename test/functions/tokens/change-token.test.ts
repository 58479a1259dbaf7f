import { describe, expect, test } from 'vitest';
import { EchoError, InfluxError } from '../../../functions/management-api/influx-error.ts';
import type { Token } from '../../../functions/management-api/token.ts';
import type { Tools } from '../../../functions/run/tools.ts';
import {
  changeToken,
  freshToken,
  patchToken,
  restored,
  stripped,
  superseding,
} from '../../../functions/tokens/change-token.ts';
import { parseMarker } from '../../../functions/tokens/marker.ts';
import type { OwnedToken } from '../../../functions/tokens/observation.ts';
import { armed, DAY, HOUR, id, inert, NOW, secretOf, seenIn, WRITE } from '../builders.ts';

function ownedOf(token: Token): OwnedToken {
  const [owned] = seenIn({ secrets: [secretOf()], tokens: [token] }).tokens;
  if (!owned) throw new Error('the token is not ours');
  return owned;
}

const refusal = (status: number) =>
  new InfluxError('refused', { method: 'PATCH', path: '/tokens', status });

/** A cluster with one token that takes descriptions up to so many characters. */
function cluster(token: Token | undefined, longest = Number.POSITIVE_INFINITY, status = 400) {
  const kept = { token, requests: 0 };
  const api = {
    getToken: () => Promise.resolve(kept.token),
    updateToken(_id: string, change: Partial<Token>) {
      kept.requests += 1;
      if ((change.description ?? '').length > longest) return Promise.reject(refusal(status));
      kept.token = { ...armed(1), ...kept.token, ...change };
      return Promise.resolve(kept.token);
    },
  };
  return { kept, tools: { api } as unknown as Pick<Tools, 'api'> };
}

const markerIn = ({ token }: { readonly token: Token | undefined }) =>
  parseMarker(token?.description ?? '');

describe('a change of a token', () => {
  test('keeps people’s text, the permissions, and every field that it does not name', async () => {
    const token = armed(1, { marker: { forced: true, others: ['color=red'] } });
    const { kept, tools } = cluster(token);
    await changeToken(tools, ownedOf(token), { marker: { superseded: NOW } });
    expect(markerIn(kept)).toEqual({
      text: 'telegraf',
      marker: { ...ownedOf(token).marker, superseded: NOW },
    });
    expect(kept.token?.permissions).toEqual(WRITE);
  });

  test('removes a field that it sets to nothing', async () => {
    const token = armed(1, { marker: { superseded: NOW - DAY, grace: 60, fenced: NOW } });
    const { kept, tools } = cluster(token);
    await changeToken(tools, ownedOf(token), { marker: { superseded: undefined } });
    const { superseded, ...rest } = ownedOf(token).marker;
    expect(markerIn(kept)?.marker).toEqual(rest);
  });

  test('is not believed if the answer shows other permissions than were asked for', async () => {
    const token = armed(1);
    const { tools } = cluster(token);
    tools.api.updateToken = () => Promise.resolve(token);
    const change = stripped(ownedOf(token), 'frozen', NOW);
    await expect(changeToken(tools, ownedOf(token), change)).rejects.toThrow(EchoError);
    const given = { marker: {}, permissions: WRITE };
    expect(await patchToken(tools, ownedOf(token), given)).toEqual(token);
  });
});

describe('where the server takes no long description', () => {
  const token = armed(1);
  const owned = ownedOf(token);
  const change = stripped(owned, 'frozen', NOW);

  async function retiredWithin(longest: number) {
    const { kept, tools } = cluster(token, longest);
    await changeToken(tools, owned, change);
    expect(kept.token?.permissions).toEqual([]);
    const { text, marker } = markerIn(kept) ?? {};
    expect(marker).toMatchObject({ frozen: NOW, fp: owned.marker.fp, secret: owned.marker.secret });
    return { text, was: marker?.was, length: kept.token?.description.length ?? 0 };
  }

  test('a token is retired all the same, and loses no more than it must', async () => {
    const whole = await retiredWithin(4_096);
    expect(whole).toMatchObject({ text: 'telegraf', was: WRITE });
    const withoutText = await retiredWithin(whole.length - 1);
    expect(withoutText).toMatchObject({ text: '', was: WRITE });
    const withoutGrants = await retiredWithin(withoutText.length - 1);
    expect(withoutGrants).toMatchObject({ text: '', was: undefined });
    const shortest = await retiredWithin(withoutGrants.length - 1);
    expect(shortest.length).toBeLessThan(withoutGrants.length - 50);
    await expect(retiredWithin(shortest.length - 1)).rejects.toThrow('refused');
  });

  test('no other error makes a description shorter', async () => {
    for (const status of [401, 404, 409, 500]) {
      const { kept, tools } = cluster(token, 0, status);
      await expect(changeToken(tools, owned, change)).rejects.toThrow('refused');
      expect(kept).toEqual({ token, requests: 1 });
    }
  });
});

describe('superseding', () => {
  const promised = (marker: object, gracePeriod: number) =>
    superseding(ownedOf(armed(1, { marker })), gracePeriod, NOW).marker;

  test('promises the longer one of the grace periods of today and of before, in seconds', () => {
    expect(promised({}, DAY)).toMatchObject({ superseded: NOW, grace: 86_400 });
    expect(promised({ grace: 3_600 }, DAY)).toMatchObject({ grace: 86_400 });
    expect(promised({ grace: 172_800 }, DAY)).toMatchObject({ grace: 172_800 });
    expect(promised({}, 1_500)).toMatchObject({ grace: 2 });
  });

  test('promises nothing beyond its expiry', () => {
    const ending = (left: number) => {
      const owned = ownedOf(armed(1, { expiresAt: NOW + left, marker: { grace: 172_800 } }));
      return superseding(owned, DAY, NOW).marker?.grace;
    };
    expect([ending(HOUR), ending(1_999), ending(0), ending(-HOUR)]).toEqual([3_600, 1, 0, 0]);
  });

  test('begins from the beginning: nothing stays fenced', async () => {
    const token = armed(1, { marker: { superseded: NOW - 9 * DAY, fenced: NOW - DAY } });
    const { kept, tools } = cluster(token);
    await changeToken(tools, ownedOf(token), superseding(ownedOf(token), DAY, NOW));
    expect(markerIn(kept)?.marker.superseded).toBe(NOW);
    expect(markerIn(kept)?.marker).not.toHaveProperty('fenced');
  });
});

describe('superseding a token that came out of quarantine', () => {
  const since = { armed: NOW - DAY, quarantined: NOW, was: WRITE, refused: NOW - HOUR };
  const markerAfter = async (token: Token) => {
    const { kept, tools } = cluster(token);
    await changeToken(tools, ownedOf(token), superseding(ownedOf(token), DAY, NOW));
    return markerIn(kept)?.marker;
  };

  test('leaves nothing of that where it has permissions again, and everything where it has none', async () => {
    const works = await markerAfter(armed(1, { marker: since }));
    expect(works).not.toHaveProperty('quarantined');
    expect(works).not.toHaveProperty('was');
    const { quarantined, was } = since;
    expect(await markerAfter(armed(1, { permissions: [], marker: since }))).toMatchObject({
      quarantined,
      was,
    });
  });

  test('asks for its acceptance if somebody goes back to it, and calls that no outage', async () => {
    expect(await markerAfter(armed(1, { marker: since }))).toMatchObject({ refused: since.armed });
    expect(await markerAfter(armed(1))).not.toHaveProperty('refused');
  });
});

describe('taking away and giving back', () => {
  const retired = { superseded: NOW - DAY, grace: 60, fenced: NOW - HOUR, quarantined: NOW };

  test('undoing needs nothing but the token', async () => {
    const token = armed(1);
    const { kept, tools } = cluster(token);
    await changeToken(tools, ownedOf(token), stripped(ownedOf(token), 'quarantined', NOW));
    expect(kept.token?.permissions).toEqual([]);
    await patchToken(tools, ownedOf(kept.token ?? token), restored(ownedOf(kept.token ?? token)));
    expect(kept.token).toEqual(token);
  });

  test('what was taken away before is not forgotten when it is taken away again', () => {
    const token = armed(1, { permissions: [], marker: { quarantined: NOW, was: WRITE } });
    expect(stripped(ownedOf(token), 'frozen', NOW).marker).toEqual({ frozen: NOW, was: WRITE });
  });

  test('a quarantined token whose marker had no room gets the permissions of the policy', () => {
    const noRoom = ownedOf(armed(1, { permissions: [], marker: retired }));
    expect(restored(noRoom, WRITE).permissions).toEqual(WRITE);
    expect(restored(noRoom)).not.toHaveProperty('permissions');
    const { quarantined, ...superseded } = retired;
    const byPerson = ownedOf(armed(1, { permissions: [], marker: superseded }));
    expect(restored(byPerson, WRITE)).not.toHaveProperty('permissions');
  });

  test('a token that has permissions keeps those, and loses the marks of retirement', async () => {
    const token = armed(1, { marker: { ...retired, was: [] } });
    const { kept, tools } = cluster(token);
    await patchToken(tools, ownedOf(token), restored(ownedOf(token), []));
    expect(kept.token).toEqual(armed(1));
  });
});

test('reads a token again only as long as it is there, and of the same secret of ours', async () => {
  const fresh = async (token?: Token) => {
    const { tools } = cluster(token);
    return (await freshToken(tools, ownedOf(inert(1))))?.token.id;
  };
  expect(await fresh(armed(1))).toBe(id(1));
  expect(await fresh()).toBeUndefined();
  expect(await fresh({ ...armed(1), revokedAt: NOW })).toBeUndefined();
  expect(await fresh({ ...armed(1), description: 'of a person' })).toBeUndefined();
  for (const marker of [{ owner: 'staging' }, { secret: 'other' }, { home: '00000000' }]) {
    expect(await fresh(armed(1, { marker }))).toBeUndefined();
  }
});

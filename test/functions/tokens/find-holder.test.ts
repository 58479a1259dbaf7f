import { expect, test } from 'vitest';
import type { Token } from '../../../functions/management-api/token.ts';
import { findHolder, type ReadFingerprint } from '../../../functions/tokens/find-holder.ts';
import { sortByOwner } from '../../../functions/tokens/observation.ts';
import {
  armed,
  fingerprint,
  foreign,
  id,
  inert,
  NOW,
  OWNER,
  secretOf,
  TELEGRAF,
  version,
} from '../builders.ts';

/** A version as the console and the SDKs name it. */
const SAVED = id(70);
const GRAFANA = 'keyturn/prod/grafana';
const secrets = [secretOf(), secretOf({}, { name: GRAFANA })];

type Shown = Awaited<ReturnType<ReadFingerprint>>;

interface Around {
  readonly listed?: readonly Token[];
  /** What `GET` by id knows beyond the listing. */
  readonly hidden?: readonly Token[];
  /** What the version's value shows. Absent: nobody may read it. */
  readonly shows?: Shown | ((versionId: string) => Shown);
  readonly mayRead?: boolean;
  readonly isYoung?: boolean;
}

/** Looks up one version of telegraf's secret, and notes who was asked for what. */
async function look(versionId: string, around: Around) {
  const { listed = [], hidden = [], shows, mayRead = 'shows' in around } = around;
  const asked: string[] = [];
  const getToken = (tokenId: string) => {
    asked.push(tokenId);
    return Promise.resolve([...listed, ...hidden].find((each) => each.id === tokenId));
  };
  const readFingerprint: ReadFingerprint = (secret, read) => {
    asked.push(`${secret} ${read}`);
    return Promise.resolve(typeof shows === 'function' ? shows(read) : shows);
  };
  const secretNamed = (name: string) => secrets.find((each) => each.name === name);
  const sorted = sortByOwner(listed, OWNER, secretNamed);
  const sources = { ...sorted, owner: OWNER, secretNamed, api: { getToken } };
  const holder = await findHolder(versionId, secretOf(), {
    ...sources,
    ...(mayRead && { readFingerprint }),
    isYoung: () => Promise.resolve(around.isYoung === true),
  });
  const token = holder.state === 'foreign' ? holder.token : 'owned' in holder && holder.owned.token;
  return {
    holder: token ? `${holder.state} ${Number(token.id.slice(0, 8))}` : holder.state,
    asked,
  };
}

const holderOf = async (versionId: string, around: Around) =>
  (await look(versionId, around)).holder;

test('1: the id of a version that Keyturn put names its token, without asking anybody', async () => {
  for (const token of [armed(1), inert(1)]) {
    expect(await look(version(1), { listed: [token], shows: fingerprint(2) })).toEqual({
      holder: 'owned 1',
      asked: [],
    });
  }
});

test('1: a bare id, as Keyturn 0.1 put it, names its token while that lives', async () => {
  expect(await look(id(1), { listed: [armed(1)] })).toEqual({ holder: 'owned 1', asked: [] });
  expect(await look(id(1), { hidden: [armed(1)] })).toEqual({ holder: 'owned 1', asked: [id(1)] });
});

test('1: that the API does not show the token of a version which was just put says nothing', async () => {
  expect(await holderOf(version(1), {})).toBe('gone');
  expect(await holderOf(version(1), { isYoung: true })).toBe('unshown');
  const revoked = { ...armed(1), revokedAt: NOW };
  expect(await holderOf(version(1), { hidden: [revoked], isYoung: true })).toBe('gone');
});

test('1: the token that an id names is the one, whatever its marker says', async () => {
  const others = [
    foreign(1),
    armed(1, { marker: { owner: 'staging' } }),
    armed(1, { marker: { home: '00000000' } }),
    armed(1, { marker: { id: id(9) } }),
  ];
  // A marker that claims the version does not outweigh the version's own id.
  const claims = armed(2, { marker: { version: [version(1), id(1)] } });
  for (const token of others) {
    for (const versionId of [version(1), id(1)]) {
      expect(await holderOf(versionId, { listed: [token, claims] })).toBe('foreign 1');
      expect(await holderOf(versionId, { hidden: [token] })).toBe('foreign 1');
    }
  }
});

test('1: a token of another secret of ours is shared, under whichever id, and not while that secret is hidden', async () => {
  const another = armed(1, { name: GRAFANA });
  const hidden = armed(2, { name: 'keyturn/prod/hidden' });
  for (const idOf of [version, id]) {
    for (const where of ['listed', 'hidden'] as const) {
      expect(await holderOf(idOf(1), { [where]: [another] })).toBe('shared 1');
      expect(await holderOf(idOf(2), { [where]: [hidden] })).toBe('foreign 2');
    }
  }
});

test('1: that a string is shared is believed of an id alone only where no value may be read', async () => {
  const another = armed(1, { name: GRAFANA });
  for (const idOf of [version, id]) {
    for (const where of ['listed', 'hidden'] as const) {
      const around = { listed: [armed(2)], [where]: [another, armed(2)] };
      expect(await holderOf(idOf(1), { ...around, shows: undefined })).toBe('unknown');
      expect(await holderOf(idOf(1), { ...around, shows: fingerprint(9) })).toBe('unknown');
      expect(await holderOf(idOf(1), { ...around, shows: fingerprint(2) })).toBe('owned 2');
    }
    const shows = fingerprint(1);
    expect(await holderOf(idOf(1), { listed: [another], shows })).toBe('shared 1');
  }
});

test('1: a token that the listing lacks is asked for by its id, and read as ours', async () => {
  const sought = await look(version(1), { hidden: [inert(1)], shows: fingerprint(2) });
  expect(sought).toEqual({ holder: 'owned 1', asked: [id(1)] });
});

test('1: only under an id that Keyturn put does a 404 say that the token is gone', async () => {
  expect(await holderOf(version(1), { shows: fingerprint(2) })).toBe('gone');
  expect(await holderOf(id(1), {})).toBe('unknown');
  expect(await holderOf(id(1), { shows: undefined })).toBe('unknown');
});

test('1: a token that was revoked is gone, under whichever id', async () => {
  const revoked = { ...armed(1), revokedAt: NOW };
  for (const versionId of [version(1), id(1)]) {
    expect(await holderOf(versionId, { hidden: [revoked] })).toBe('gone');
    expect(await holderOf(versionId, { listed: [revoked] })).toBe('gone');
  }
});

test('1: a version id that names no token is asked for nowhere', async () => {
  const odd = ['terraform-20260302120000000000000001', 'keyturn-of-a-person-0123456789abcdef'];
  for (const each of odd) expect(await look(each, {})).toEqual({ holder: 'unknown', asked: [] });
});

test('2: the marker of an armed token of this secret names the versions that a person saved', async () => {
  for (const marker of [{ version: ['x', SAVED] }, { minted: SAVED }]) {
    const listed = [armed(1, { marker }), armed(2)];
    expect(await look(SAVED, { listed, shows: fingerprint(2) })).toEqual({
      holder: 'owned 1',
      asked: [],
    });
  }
});

test('2: Secrets Manager’s own rotation is found by its fingerprint before it is armed', async () => {
  const minted = inert(1, { marker: { minted: SAVED, fp: fingerprint(1) } });
  expect(await holderOf(SAVED, { listed: [minted] })).toBe('owned 1');
});

test('2: a marker without a fingerprint is not believed', async () => {
  for (const marker of [{ version: [SAVED] }, { minted: SAVED }]) {
    expect(await holderOf(SAVED, { listed: [inert(1, { marker })] })).toBe('unknown');
  }
});

test('2: a token of another secret cannot claim a version of this one', async () => {
  const claims = armed(1, { name: GRAFANA, marker: { version: [SAVED] } });
  expect(await holderOf(SAVED, { listed: [claims] })).toBe('unknown');
});

test('2: of two tokens that claim one version the string decides, and else nobody', async () => {
  const claims = { version: [SAVED] };
  const listed = [armed(1, { marker: claims }), armed(2, { marker: { minted: SAVED } })];
  expect(await look(SAVED, { listed, shows: fingerprint(2) })).toEqual({
    holder: 'owned 2',
    asked: [`${TELEGRAF} ${SAVED}`],
  });
  expect(await holderOf(SAVED, { listed, shows: fingerprint(3) })).toBe('unknown');
  expect(await holderOf(SAVED, { listed })).toBe('unknown');
});

test('3: the token whose fingerprint is that of the string, where a function may read values', async () => {
  const listed = [armed(1), armed(2)];
  expect(await holderOf(SAVED, { listed, shows: fingerprint(2) })).toBe('owned 2');
  expect(await holderOf(SAVED, { listed, shows: fingerprint(3) })).toBe('unknown');
  expect(await holderOf(SAVED, { listed })).toBe('unknown');
});

test('3: a string of another secret of ours is shared, unless this secret has it as well', async () => {
  const other = armed(5, { name: GRAFANA });
  expect(await holderOf(SAVED, { listed: [other, armed(1)], shows: fingerprint(5) })).toBe(
    'shared 5',
  );
  const same = armed(1, { marker: { fp: fingerprint(5) } });
  expect(await holderOf(SAVED, { listed: [other, same], shows: fingerprint(5) })).toBe('owned 1');
});

test('3: the string of a version that was put for a token names it before it is armed', async () => {
  const listed = [inert(1), inert(2), armed(3)];
  const shows = (has: string) => (read: string) =>
    read === SAVED ? fingerprint(1) : read === version(1) ? has : ('empty' as const);
  const around = { listed, shows: shows(fingerprint(1)) };
  expect(await holderOf(SAVED, around)).toBe('owned 1');
  expect(await holderOf(SAVED, { listed, shows: shows(fingerprint(9)) })).toBe('unknown');
});

test('3: a fingerprint in the marker of a foreign token is nobody’s', async () => {
  const copied = armed(1, { marker: { owner: 'staging' } });
  expect(await holderOf(SAVED, { listed: [copied], shows: fingerprint(1) })).toBe('unknown');
});

test('3: a version without a value is empty, and a value of another form unknown', async () => {
  expect(await holderOf(SAVED, { listed: [armed(1)], shows: 'empty' })).toBe('empty');
  expect(await holderOf(SAVED, { listed: [armed(1)], shows: undefined })).toBe('unknown');
});

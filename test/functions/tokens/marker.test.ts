import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bearsOwner,
  describeToken,
  grantsHash,
  homeOf,
  isMarked,
  type Marker,
  parseMarker,
  shorterDescriptions,
} from '../../../functions/tokens/marker.ts';

const anything = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    ']',
    '[',
    '%',
    '%5',
    ',',
    ':',
    '=',
    ' ',
    'a b',
    'Übermaß',
    '漢字',
    '🎛',
    '\n',
    'x]y',
  ),
);
const filled = anything.filter((text) => text !== '');
const instant = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1_000);
const permission = fc.record({ action: anything, resource: anything });

const marker: fc.Arbitrary<Marker> = fc.record(
  {
    owner: filled,
    secret: filled,
    home: filled,
    id: anything,
    fp: anything,
    grants: anything,
    armed: instant,
    minted: anything,
    version: fc.array(anything, { minLength: 1, maxLength: 3 }),
    replaces: anything,
    order: anything,
    shared: anything,
    forced: fc.constant(true as const),
    superseded: instant,
    grace: fc.integer({ min: 0, max: 9_999_999_999 }),
    fenced: instant,
    quarantined: instant,
    frozen: instant,
    adopted: instant,
    proving: instant,
    proven: instant,
    was: fc.array(permission, { maxLength: 4 }),
  },
  { requiredKeys: ['owner', 'secret', 'home'] },
);
const text = fc.oneof(anything, fc.string()).filter((each) => !isMarked(each));

/** The order in which permissions were taken away means nothing. */
const sorted = ({ was, ...rest }: Marker) => ({
  ...rest,
  ...(was && { was: was.map((each) => JSON.stringify(each)).sort() }),
});

test('reads back every marker and every text that it writes', () => {
  fc.assert(
    fc.property(text, marker, (before, written) => {
      const read = parseMarker(describeToken(before, written));
      expect(read?.text).toBe(before);
      expect(read && sorted(read.marker)).toEqual(sorted(written));
    }),
    { numRuns: 500 },
  );
});

/** An instant of the last 50 years: nothing that Keyturn did is older. */
const recent = fc
  .integer({ min: 100_000_000, max: 4_000_000_000 })
  .map((seconds) => seconds * 1_000);
const recently = marker.chain((each) =>
  fc.record(
    Object.fromEntries(
      Object.entries(each).map(([key, value]) => {
        const isInstant = typeof value === 'number' && key !== 'grace';
        return [key, isInstant ? recent : fc.constant(value)];
      }),
    ),
  ),
) as fc.Arbitrary<Marker>;

/** As it is read where there was no room for what was taken. */
const withHash = ({ was, ...others }: Marker): Omit<Marker, 'was'> =>
  was ? { had: grantsHash(was), ...others } : others;

test('reads the shortest spelling as what it stands for, but for the permissions that were taken away', () => {
  fc.assert(
    fc.property(
      filled.filter((each) => !isMarked(each)),
      recently,
      (before, written) => {
        const { was } = written;
        const kept = withHash(written);
        const { armed, asked, forced, replaces, order, version, minted, ...least } = kept;
        const retiring = kept.superseded !== undefined || kept.quarantined !== undefined;
        const whose = { ...least, ...(version && { version }), ...(minted && { minted }) };
        const shorter = [...shorterDescriptions(before, written)];
        expect(shorter.map((each) => parseMarker(each)?.text)).toEqual(shorter.map(() => ''));
        const long = was ? [sorted(written), kept, kept] : [kept, kept];
        const read = shorter.map((each) => sorted(parseMarker(each)?.marker ?? plain));
        expect(read.slice(0, long.length)).toEqual(long);
        const rest = read.slice(long.length);
        if (retiring) expect(rest).toEqual([whose, least]);
        // One that is in use keeps what it lives by, and the version that matters most.
        for (const each of retiring ? [] : rest) {
          expect(each).toMatchObject({ ...least, ...(armed !== undefined && { armed }) });
          expect(each.version?.[0] ?? each.minted).toBe(version?.[0] ?? minted);
        }
      },
    ),
  );
});

const plain: Marker = { owner: 'prod', secret: 'keyturn/prod/telegraf', home: '1f0c9a2e' };
const written = 'telegraf writer [keyturn:1 owner=prod secret=keyturn/prod/telegraf home=1f0c9a2e]';

test('stands at the end of the description, readable', () => {
  expect(describeToken('telegraf writer', plain)).toBe(written);
  expect(parseMarker(written)).toEqual({ text: 'telegraf writer', marker: plain });
  const retired: Marker = {
    ...plain,
    forced: true,
    superseded: Date.UTC(2026, 2, 1, 2, 3, 4),
    was: [
      { action: 'write', resource: 'a b' },
      { action: 'read', resource: 'x]y' },
    ],
  };
  expect(describeToken('', retired)).toBe(
    '[keyturn:1 owner=prod secret=keyturn/prod/telegraf home=1f0c9a2e forced=yes superseded=2026-03-01T02:03:04Z was=read:x%5Dy,write:a%20b]',
  );
});

test('says what happened to a token in words, in an order of its own', () => {
  const at = (hour: number) => Date.UTC(2026, 2, 1, hour);
  const marker: Marker = {
    proven: at(6),
    proving: at(5),
    adopted: at(4),
    fenced: at(3),
    grace: 86_400,
    superseded: at(2),
    shared: '5dc774c0',
    order: 'a1b2c3d4',
    version: ['v1', 'v,2'],
    minted: 'v3',
    armed: at(1),
    ...plain,
  };
  expect(describeToken('', marker)).toBe(
    '[keyturn:1 owner=prod secret=keyturn/prod/telegraf home=1f0c9a2e minted=v3 order=a1b2c3d4 ' +
      'shared=5dc774c0 version=v1,v%2C2 grace=86400 armed=2026-03-01T01:00:00Z ' +
      'superseded=2026-03-01T02:00:00Z fenced=2026-03-01T03:00:00Z adopted=2026-03-01T04:00:00Z ' +
      'proving=2026-03-01T05:00:00Z proven=2026-03-01T06:00:00Z]',
  );
});

test('takes away, to be shorter, the words for people, then what undoing needs, then long names', () => {
  const frozen = Date.UTC(2026, 2, 1, 2, 3, 4);
  const marker: Marker = { ...plain, frozen, was: [{ action: 'write', resource: 'telemetry' }] };
  const full = describeToken('telegraf writer', marker);
  const shorter = [...shorterDescriptions('telegraf writer', marker)];
  const hash = grantsHash(marker.was ?? []);
  expect(shorter.map((each) => each.replace(hash, 'HASH'))).toEqual([
    '[keyturn:1 owner=prod secret=keyturn/prod/telegraf home=1f0c9a2e frozen=2026-03-01T02:03:04Z was=write:telemetry]',
    '[keyturn:1 owner=prod secret=keyturn/prod/telegraf home=1f0c9a2e had=HASH frozen=2026-03-01T02:03:04Z]',
    '[keyturn:1 o=prod s=keyturn/prod/telegraf h=1f0c9a2e wh=HASH y=tb7714]',
  ]);
  const lengths = [full, ...shorter].map((each) => each.length);
  expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
});

test('keeps what a newer version wrote in every shorter description, too', () => {
  const shorter = [...shorterDescriptions('x', { ...plain, others: ['color=red'] })];
  expect(shorter.map((each) => parseMarker(each)?.marker.others)).toEqual([
    ['color=red'],
    ['color=red'],
  ]);
});

test('keeps an empty list of permissions apart from none', () => {
  expect(parseMarker(describeToken('', { ...plain, was: [] }))?.marker.was).toEqual([]);
  expect(parseMarker(describeToken('', plain))?.marker.was).toBeUndefined();
});

const fields = 'owner=prod secret=s home=h';
test.each([
  ['no marker', 'telegraf writer'],
  ['an empty description', ''],
  ['a marker with text behind it', `${written} (copied)`],
  ['a marker that stands alone with a space behind it', `${written} `],
  ['two markers', `${written} ${written}`],
  ['another version of the format', `x [keyturn:2 ${fields}]`],
  ['an unknown field twice', `x [keyturn:1 ${fields} color=red color=blue]`],
  ['a field twice', `x [keyturn:1 ${fields} owner=prod]`],
  ['a field twice, once by its short name', `x [keyturn:1 ${fields} o=prod]`],
  ['a grace period that is no number', `x [keyturn:1 ${fields} grace=1d]`],
  ['a broken escape in a list of versions', `x [keyturn:1 ${fields} version=a,%E0%A4%A]`],
  ['a field without a value sign', `x [keyturn:1 ${fields} forced]`],
  ['no owner', 'x [keyturn:1 secret=s home=h]'],
  ['an empty owner', 'x [keyturn:1 owner= secret=s home=h]'],
  ['no fields at all', 'x [keyturn:1]'],
  ['an instant that is none', `x [keyturn:1 ${fields} superseded=yesterday]`],
  ['half an instant', `x [keyturn:1 ${fields} superseded=2026]`],
  ['an instant with more before it', `x [keyturn:1 ${fields} superseded=+002026-03-01T02:03:04Z]`],
  ['an instant with more behind it', `x [keyturn:1 ${fields} superseded=2026-03-01T02:03:04Z(x)]`],
  ['an instant of another spelling', `x [keyturn:1 ${fields} superseded=1]`],
  ['forced otherwise than yes', `x [keyturn:1 ${fields} forced=no]`],
  ['a broken escape', 'x [keyturn:1 owner=%E0%A4%A secret=s home=h]'],
  ['a marker cut short', written.slice(0, -1)],
  ['no space before the marker', `x[keyturn:1 ${fields}]`],
])('takes %s for foreign', (_, description) => {
  expect(parseMarker(description)).toBeUndefined();
});

test('keeps the fields of a newer version as they are written', () => {
  const newer = `x [keyturn:1 ${fields} color=red%20%5B constructor=x]`;
  const parsed = parseMarker(newer);
  expect(parsed?.marker).toEqual({
    owner: 'prod',
    secret: 's',
    home: 'h',
    others: ['color=red%20%5B', 'constructor=x'],
  });
  expect(describeToken('x', parsed?.marker ?? { owner: '', secret: '', home: '' })).toBe(newer);
});

test('says of each text whether it bears what could be taken for a marker', () => {
  expect(isMarked(written)).toBe(true);
  expect(isMarked('x [keyturn:2 y]')).toBe(true);
  expect(isMarked('keyturn:1 owner=prod')).toBe(false);
});

test('looks through a description of any length that is full of beginnings of markers', () => {
  expect(bearsOwner('[keyturn:1 '.repeat(40_000), 'prod')).toBe(false);
});

test('hashes permissions whatever their order, and no two sets alike', () => {
  const list = fc.uniqueArray(permission, {
    selector: (each) => JSON.stringify(each),
    maxLength: 5,
  });
  fc.assert(
    fc.property(list, list, (some, others) => {
      const key = (all: typeof some) => JSON.stringify(all.map((p) => JSON.stringify(p)).sort());
      expect(grantsHash(some.toReversed())).toBe(grantsHash(some));
      expect(grantsHash(some) === grantsHash(others)).toBe(key(some) === key(others));
    }),
  );
});

test('tells homes apart by account, Region and suffix', () => {
  const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:keyturn/prod/telegraf-AbCdEf';
  expect(homeOf(arn)).toBe('5dc774c0');
  const others = ['eu-west-2', '210987654321', 'AbCdEg'];
  const [region, account, suffix] = others;
  const moved = [
    arn.replace('eu-west-1', region ?? ''),
    arn.replace('123456789012', account ?? ''),
    arn.replace('AbCdEf', suffix ?? ''),
  ];
  expect(new Set([arn, ...moved].map(homeOf)).size).toBe(4);
});

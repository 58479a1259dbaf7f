import * as z from 'zod/mini';
import { DAY_MS } from '../../../functions/time.ts';
import { CommandError } from '../failure.ts';
import { A_PERSON_OR_ROTATION, type Fact, type Gift, SAVED } from './happening.ts';

const text = z.string();
const maybe = z.optional(text);

const pastSchema = z.looseObject({
  history: z.looseObject({
    tokens: z.array(
      z.looseObject({
        tokenId: text,
        secret: text,
        home: maybe,
        createdAt: text,
        expiresAt: maybe,
        revokedAt: maybe,
        endedByOrder: z.optional(z.boolean()),
        works: z.optional(z.boolean()),
        marks: z.record(text, text),
        replaces: maybe,
      }),
    ),
    /** Absent: the function is an older one. */
    others: z.optional(z.array(text)),
    secrets: z.array(
      z.looseObject({
        secret: text,
        token: maybe,
        versions: z.array(
          z.looseObject({
            version: text,
            createdAt: text,
            labels: z.array(text),
            tokenId: maybe,
            putBy: text,
          }),
        ),
        hold: z.optional(z.looseObject({ hold: text, at: maybe, by: maybe, reason: maybe })),
        liftedAt: maybe,
      }),
    ),
    unseen: z.array(z.looseObject({ secret: text, why: text })),
  }),
  schedule: z.optional(
    z.looseObject({ name: text, state: text, since: maybe, by: maybe, reason: maybe }),
  ),
});

export type Past = z.output<typeof pastSchema>;

/** @throws CommandError if it is the answer of another version */
export function readPast(answer: unknown): Past {
  const { data, error } = pastSchema.safeParse(answer);
  if (data) return data;
  const where = error?.issues[0]?.path.join('.') || 'the whole answer';
  throw new CommandError(
    `found an answer of another version (${where}), expected the answer of this version's function; deploy the stack from this checkout, or use --local`,
  );
}

/** What a marker's instants are called where logs tell the same. What is left out is a step within one of them. */
const MARKS: Readonly<Record<string, string>> = {
  promoted: 'promoted',
  superseded: 'superseded',
  fenced: 'grace period over',
  quarantined: 'quarantined',
  frozen: 'frozen',
  adopted: 'adopted',
};

const CLUSTER = 'cluster';
const SECRETS = 'Secrets Manager';

type Token = Past['history']['tokens'][number];
type Secret = Past['history']['secrets'][number];

/** What is told of tokens beside the tokens. */
interface Known {
  readonly now: number;
  /** Ids of the tokens that logs count to their secrets. */
  readonly logged: ReadonlySet<string>;
  /** Of those whose versions are there. */
  readonly stored: ReadonlySet<string>;
}

/** What is armed was stored just before; of a permission that it got later, the instant is another. */
function armedFact({ tokenId, marks: { armed, promoted } }: Token, { stored }: Known) {
  if (armed === undefined || stored.has(tokenId)) return [];
  return promoted === undefined || armed <= promoted
    ? [{ at: Date.parse(armed), what: 'stored', withinMs: DAY_MS }]
    : [];
}

function tokenFacts(token: Token, known: Known): readonly Fact[] {
  const { tokenId, secret, home, createdAt, expiresAt, revokedAt, marks, replaces } = token;
  const { now, logged } = known;
  const isOther = home !== undefined && !logged.has(tokenId);
  const about = { tokenId, secret, ...(isOther && { home }), source: CLUSTER };
  const expired = expiresAt === undefined ? Number.NaN : Date.parse(expiresAt);
  const marked = Object.entries(marks).flatMap(([mark, at]) => {
    const what = MARKS[mark];
    return what === undefined
      ? []
      : [
          {
            ...about,
            at: Date.parse(at),
            what,
            ...(mark === 'promoted' && { formerId: replaces, isOrLater: at === marks.armed }),
          },
        ];
  });
  return [
    // A token that was adopted was made by whoever had it before.
    { ...about, at: Date.parse(createdAt), what: marks.adopted ? 'made by others' : 'minted' },
    ...armedFact(token, known).map((each) => ({ ...about, ...each })),
    ...marked,
    ...(expired <= (revokedAt === undefined ? now : Date.parse(revokedAt))
      ? [{ ...about, at: expired, what: 'expired', by: 'its expiry' }]
      : []),
    ...(revokedAt === undefined
      ? []
      : [
          {
            ...about,
            at: Date.parse(revokedAt),
            what: 'deleted',
          },
        ]),
  ];
}

const BEGUN = { what: 'rotation begun', by: 'Secrets Manager’s rotation' };
const READ = ['AWSCURRENT', 'AWSPREVIOUS'];

function versionFact(secret: string, each: Secret['versions'][number]): Fact {
  const { version, createdAt, labels, tokenId, putBy } = each;
  const about = { at: Date.parse(createdAt), secret, source: SECRETS };
  if (putBy === 'keyturn') return { ...about, what: 'stored', tokenId };
  // Secrets Manager makes it before anything is minted, and the function fills it later.
  if (putBy === 'rotation') return { ...about, ...BEGUN, key: `rotation of ${version}` };
  const whose = tokenId === undefined ? '' : `, with the string of ${tokenId.slice(0, 8)}`;
  const label = labels.length > 0 ? `; it has ${labels.join(', ')} now` : '';
  // What consumers never had may be what Secrets Manager's own rotation made, and did not end.
  const wasRead = tokenId !== undefined || labels.some((each) => READ.includes(each));
  const gave: Gift = {
    tokenId,
    ...(!wasRead && { is: 'perhaps' }),
    ...(labels.includes('AWSCURRENT') && { is: 'now' }),
  };
  return {
    ...about,
    what: SAVED,
    key: version,
    ...(!wasRead && { by: A_PERSON_OR_ROTATION }),
    ...(!labels.includes('AWSPENDING') && { gave }),
    why: `a version under an id that Keyturn’s rotations do not put${whose}${label}`,
  };
}

function secretFacts({ secret, versions, hold, liftedAt }: Secret): readonly Fact[] {
  const { at, by, reason } = hold ?? {};
  const about = { secret, source: SECRETS };
  return [
    ...versions.map((each) => versionFact(secret, each)),
    ...(at === undefined
      ? []
      : [{ ...about, at: Date.parse(at), what: 'put on hold', by, why: reason }]),
    ...(liftedAt === undefined
      ? []
      : [{ ...about, at: Date.parse(liftedAt), what: 'hold released' }]),
  ];
}

/**
 * What both systems still say, and a schedule of its being switched off.
 * @param logged ids of the tokens that logs count to their secrets
 */
export function pastFacts(
  { history, schedule }: Past,
  now: number,
  logged: ReadonlySet<string> = new Set(),
): readonly Fact[] {
  const versions = history.secrets.flatMap((each) => each.versions);
  const stored = new Set(versions.flatMap(({ tokenId }) => tokenId ?? []));
  const { name, state, since, by, reason } = schedule ?? {};
  const stopped =
    state === 'off' && since !== undefined
      ? [
          {
            ...{ at: Date.parse(since), subject: name, by, why: reason },
            what: 'schedule stopped',
            source: 'EventBridge Scheduler',
          },
        ]
      : [];
  return [
    ...history.tokens.flatMap((token) => tokenFacts(token, { now, logged, stored })),
    ...history.secrets.flatMap(secretFacts),
    ...stopped,
  ].filter(({ at }) => !Number.isNaN(at));
}

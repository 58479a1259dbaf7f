import { describe, expect, test } from 'vitest';
import type { Call } from '../../sandbox/interception.ts';
import { DAY } from '../world/policy.ts';
import { emptyHistory, type History, type Step } from './history.ts';
import { violations } from './invariants.ts';
import { OWNER } from './policy.ts';
import type { Terms } from './terms.ts';
import type { SeenSecret, SeenToken, View } from './view.ts';

const NOW = 100 * DAY;
const RUN = 'rotate-1';
const HOME = (name: string) => `home of ${name}`;

const tokenOf = (id: string, secret: string, more: Partial<SeenToken> = {}): SeenToken => ({
  id,
  description: '',
  permissions: [{ action: 'write', resource: 'telemetry' }],
  createdAt: NOW - DAY,
  marker: { owner: OWNER, secret, home: HOME(secret), grants: 'all' },
  ...more,
});

const secretOf = (
  name: string,
  texts: Record<string, string>,
  more: Partial<SeenSecret> = {},
): SeenSecret => ({
  name,
  home: HOME(name),
  tags: { 'keyturn:owner': OWNER },
  labels: { AWSCURRENT: `${name} 1` },
  holders: { AWSCURRENT: `token of ${name}` },
  versions: Object.entries(texts).map(([token, secretString], at) => ({
    id: `${name} ${at + 1}`,
    secretString,
    secretBinary: undefined,
    accessedAt: undefined,
    stages: at === 0 ? ['AWSCURRENT'] : [],
    createdAt: NOW - DAY,
    token,
  })),
  isDeleted: false,
  ...more,
});

const viewOf = (tokens: readonly SeenToken[], secrets: readonly SeenSecret[]): View => ({
  at: NOW,
  tokens: new Map(tokens.map((token) => [token.id, token])),
  secrets: new Map(secrets.map((secret) => [secret.name, secret])),
});

const TERMS: Terms = {
  gracePeriod: DAY,
  limits: { percent: 10, tokens: 1 },
  listed: ['a', 'b', 'c'],
  made: ['a', 'b', 'c'],
  keyed: ['a'],
  deletesExpired: false,
  grantsOf: () => [],
  isRetired: () => false,
  accepts: () => true,
  heardWithin: () => 0,
  shownWithin: () => 0,
};

/** What is wrong with one request of a schedule's run. */
function wrongIn(history: History, operation: string, before: View, after: View, terms = TERMS) {
  const call = { server: 'management-api', operation, caller: RUN } as Call;
  const step: Step = {
    call,
    isOrdered: false,
    reply: { status: 200, body: '' },
    began: NOW - DAY / 24,
    before,
    after,
  };
  return [...violations(history, step, terms)];
}

describe('H', () => {
  const token = tokenOf('token of a', 'a');
  const frozen = secretOf('a', {}, { tags: { 'keyturn:owner': OWNER, 'keyturn:hold': 'frozen' } });
  const deletedBy = (looked: Partial<History>) =>
    wrongIn(
      { ...emptyHistory(), ...looked },
      'DELETE /tokens/{id}',
      viewOf([token], [frozen]),
      viewOf([{ ...token, revokedAt: NOW }], [frozen]),
    ).filter((each) => each.startsWith('H:'));

  test('a schedule that deletes a token whose secret it saw frozen alone is told', () => {
    const looked = { froze: { [RUN]: [HOME('a')] }, obeyed: { [RUN]: [HOME('a')] } };
    expect(deletedBy(looked)).toEqual([expect.stringMatching(/deleted token of/)]);
  });

  test('what was condemned when it looked may be gone', () => {
    expect(deletedBy({ froze: { [RUN]: [] }, obeyed: { [RUN]: [HOME('a')] } })).toEqual([]);
  });
});

describe('F', () => {
  /** A run stores a successor of each, whose token somebody deleted at an instant. */
  const replaced = (names: readonly string[], revokedAt: number) => {
    const history = emptyHistory();
    const tokens = names.map((name) => tokenOf(`token of ${name}`, name, { revokedAt }));
    return names
      .flatMap((name) => {
        const before = secretOf(name, { [`token of ${name}`]: 'old' });
        const after = secretOf(name, { [`token of ${name}`]: 'old', next: 'new' });
        return wrongIn(
          history,
          'PutSecretValue',
          viewOf(tokens, [before]),
          viewOf(tokens, [after]),
        );
      })
      .filter((each) => each.startsWith('F:'));
  };

  test('a run that replaces more tokens that are gone than the limit says is told', () => {
    expect(replaced(['a'], NOW - DAY)).toEqual([]);
    expect(replaced(['a', 'b'], NOW - DAY)).toEqual([
      `F: 2 replacements of tokens that are gone in a run of ${RUN}; the limit is 1`,
    ]);
  });

  test('what somebody deleted while it ran, it need not know', () => {
    expect(replaced(['a', 'b', 'c'], NOW)).toEqual([]);
  });
});

describe('what people keep beside an adopted string', () => {
  /** A run stores a text. */
  const stored = (text: string, isKnown = true) => {
    const history = emptyHistory();
    Object.assign(history.strings, { next: 'NEW', ...(isKnown && { 'token of a': 'OLD' }) });
    const tokens = [tokenOf('token of a', 'a'), tokenOf('next', 'a', { permissions: [] })];
    const before = secretOf('a', { 'token of a': '{"host": "db", "token":"OLD"}' });
    const after = secretOf('a', { 'token of a': '{"host": "db", "token":"OLD"}', next: text });
    return wrongIn(
      history,
      'PutSecretValue',
      viewOf(tokens, [before]),
      viewOf(tokens, [after]),
    ).filter((each) => each.startsWith('what stands beside'));
  };

  test('stays as it is, to the byte', () => {
    expect(stored('{"host": "db", "token":"NEW"}')).toEqual([]);
    expect(stored('{"host":"db","token":"NEW"}')).toHaveLength(1);
    expect(stored('{"token":"NEW"}')).toHaveLength(1);
  });

  test('is not known where nobody knows the string that was there', () => {
    expect(stored('{"token":"NEW"}', false)).toEqual([]);
  });
});

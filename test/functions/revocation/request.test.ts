import { expect, test } from 'vitest';
import { parseRevokeRequest } from '../../../functions/revocation/request.ts';

const reason = 'leaked';

test('replaces what is named, unless it is told another way', () => {
  expect(parseRevokeRequest({ token: 'telegraf', reason })).toEqual({
    way: 'replace',
    selector: { kind: 'token', name: 'telegraf' },
    reason,
    immediately: false,
    dryRun: false,
    noUndo: false,
    withoutSecrets: false,
  });
});

test.each([
  [{ token: 'a' }, { kind: 'token', name: 'a' }],
  [{ tokenId: 'ABC' }, { kind: 'tokenId', id: 'abc' }],
  [{ secret: 'a/b' }, { kind: 'secret', nameOrArn: 'a/b' }],
  [{ database: 'metrics' }, { kind: 'database', name: 'metrics' }],
  [{ all: true }, { kind: 'all' }],
  [{ fingerprint: '0123456789abcdef' }, { kind: 'fingerprint', fingerprint: '0123456789abcdef' }],
])('takes the selector %j', (event, selector) => {
  expect(parseRevokeRequest({ ...event, reason }).selector).toEqual(selector);
});

test.each([
  [undefined, 'exactly one of token, tokenId, secret, database, all, fingerprint'],
  [{ reason }, 'exactly one of'],
  [{ token: 'a', database: 'b', reason }, 'exactly one of'],
  [{ all: false, reason }, 'all: '],
  [{ token: '', reason }, 'a token name'],
  [{ fingerprint: 'apiv1_leaked', reason }, '16 hex digits'],
  [{ token: 'a', reason, force: true }, 'unknown key force'],
  [{ token: 'a', reason, way: 'destroy' }, 'way: '],
  [{ token: 'a' }, 'a reason is required'],
  [{ token: 'a', reason: '  ' }, 'a reason'],
  [{ token: 'a', reason, way: 'freeze', immediately: true }, 'immediately is allowed only with'],
  [{ token: 'a', reason, noUndo: true }, 'noUndo is allowed only with'],
  [{ token: 'a', reason, plan: 'yes' }, 'a hash of 16 hex digits'],
])('refuses %j', (event, message) => {
  expect(() => parseRevokeRequest(event)).toThrow(message);
});

test.each([{ dryRun: true }, { way: 'whois' }])(
  'requires no reason where nothing is done: %j',
  (more) => {
    expect(parseRevokeRequest({ token: 'a', ...more })).not.toHaveProperty('reason');
  },
);

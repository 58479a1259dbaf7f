import { expect, test } from 'vitest';
import {
  planTakeover,
  type SecretSeen,
} from '../../../../functions/rotation/plan/plan-takeover.ts';
import { homeOf } from '../../../../functions/tokens/marker.ts';
import { id, policyOf, secretOf } from '../../builders.ts';

test('a plan reads the description of each token a few times, however many entries there are', () => {
  let reads = 0;
  const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:former-AbCdEf';
  const entries = Array.from({ length: 200 }, (_, n) => ({
    ...policyOf().tokens[0],
    name: `t${n}`,
    secret: `keyturn/prod/t${n}`,
  }));
  const fpOf = (n: number) => n.toString(16).padStart(16, '0');
  const tokens = entries.map(({ secret }, n) => ({
    id: id(n),
    get description() {
      reads += 1;
      return `writer [keyturn:1 owner=prod secret=${secret} home=${homeOf(arn)} id=${id(n)} fp=${fpOf(n)} grants=0a0b0c0d armed=2026-01-01T00:00:00Z]`;
    },
    permissions: [],
    createdAt: 1,
  }));
  const seen = new Map(
    entries.map(({ secret: name }, n): [string, SecretSeen] => {
      const version = `keyturn-${id(n)}`;
      const secret = { ...secretOf(), name, labels: { AWSCURRENT: version } };
      return [name, { secret, strings: new Map([[version, new Set([fpOf(n)])]]), tokens }];
    }),
  );
  const policy = { ...policyOf(), tokens: entries } as Parameters<typeof planTakeover>[0];
  const names = entries.map(({ name }) => name);
  const { actions } = planTakeover(policy, seen, { tokens: names }, tokens);
  expect(actions).toHaveLength(entries.length);
  expect(reads).toBeLessThan(5 * tokens.length);
});

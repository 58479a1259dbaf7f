import { randomUUID, createHash } from 'node:crypto';
import { test } from 'vitest';
import { planTakeover } from '../../../functions/rotation/plan/plan-takeover.ts';

test('the plan of a takeover of 1,000 entries with 3,000 tokens: seconds of CPU', () => {
  for (const COUNT of [250, 500, 1000]) {
    const arn = (n: string) => `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${n}-AbCdEf`;
    const home = createHash('sha256').update('x').digest('hex').slice(0, 8);
    const entries = Array.from({ length: COUNT }, (_, i) => ({ name: `t${i}`, secret: `keyturn/prod/t${i}` }));
    const fps = new Map<string, string[]>();
    const tokens = entries.flatMap(({ secret }) =>
      Array.from({ length: 3 }, () => {
        const id = randomUUID();
        const fp = createHash('sha256').update(id).digest('hex').slice(0, 16);
        fps.set(secret, [...(fps.get(secret) ?? []), `keyturn-${id} ${fp}`]);
        return { id, description: `writer [keyturn:1 owner=prod secret=${secret} home=${home} id=${id} fp=${fp} grants=0a0b0c0d armed=2026-01-01T00:00:00Z]`, permissions: [], createdAt: 1 };
      }),
    );
    const seen = new Map(entries.map(({ secret }) => {
      const strings = new Map((fps.get(secret) ?? []).map((t) => { const [v = '', fp = ''] = t.split(' '); return [v, new Set([fp])] as const; }));
      const labels = { AWSCURRENT: [...strings.keys()].at(-1) };
      return [secret, { secret: { name: secret, arn: arn(secret), labels, tags: { 'keyturn:owner': 'prod', 'keyturn:cluster': 'https://c' }, replica: false, changedAt: 1 }, strings, tokens }] as const;
    }));
    const policy = { owner: 'prod', cluster: { url: 'https://c' }, tokens: entries, limits: { percent: 30, tokens: 3 } };
    const at = performance.now();
    const plan = planTakeover(policy as never, seen as never, { tokens: entries.map(({ name }) => name) }, tokens as never);
    console.log('cpu', COUNT, ((performance.now() - at) / 1000).toFixed(1), 's', plan.actions.length, plan.findings.length);
  }
});

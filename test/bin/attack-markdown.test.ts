import { expect, test } from 'vitest';
import { plansMarkdown } from '../../bin/keyturn/plan-markdown.ts';

const plan = (job: string, actions: object[], findings: object[], refusals: object[] = []) => ({
  plan: { job, actions, findings, limits: [], refusals, hash: 'x' },
});

test('what reap would delete is in the comment, however much rotate finds', () => {
  const message =
    'it gets no replicas: Keyturn replicates only secrets that it made under a name of its own; whoever made it may replicate it';
  const findings = Array.from({ length: 400 }, (_, i) => ({
    kind: 'NotReplicated',
    token: `telegraf-${i}`,
    secret: `app/telegraf-${i}`,
    message,
  }));
  const text = plansMarkdown(
    [
      plan('rotate', [], findings),
      plan('reap', [
        { kind: 'delete-secret', reason: 'Removed', secret: 'keyturn/prod/telegraf' },
      ], []),
    ] as never,
    { owner: 'prod', now: Date.now() },
  );
  console.log(text.slice(-400));
  expect(text).toContain('keyturn/prod/telegraf');
});

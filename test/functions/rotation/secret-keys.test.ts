import { expect, test } from 'vitest';
import { otherKey } from '../../../functions/rotation/plan/secret-keys.ts';
import type { Finding } from '../../../functions/run/plan.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Deployment } from '../../world/world.ts';

const entries = { telegraf: writer };
const under = (encryptionKey?: string, more: object = entries) =>
  policyWith(more, encryptionKey === undefined ? {} : { encryptionKey });

const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001';

/** What a plan says of keys. */
async function said({ rotate }: Pick<Deployment, 'rotate'>): Promise<readonly string[]> {
  const { result } = await rotate({ dryRun: true });
  const findings: readonly Finding[] = result.plan.findings;
  return findings.filter(({ kind }) => kind === 'KeyDiffers').map(({ message }) => message);
}

test.each([
  [
    'another key is named',
    'alias/tokens',
    'alias/new',
    'it is under alias/tokens, expected alias/new as encryptionKey says; ',
  ],
  [
    'none is named any more',
    KEY,
    undefined,
    'it is under key/0a1b2c3d-0000-4000-8000-000000000001, expected alias/aws/secretsmanager without an encryptionKey; ',
  ],
  [
    'one is named for the first time',
    undefined,
    KEY,
    'it is under alias/aws/secretsmanager, expected key/0a1b2c3d-0000-4000-8000-000000000001 as encryptionKey says; ',
  ],
])(
  'a secret stays under its key where %s, and every plan says so until a person moves it',
  async (_what, before, after, sentence) => {
    const world = await openWorldForTest(under(before));
    await world.rotate();
    expect(await said(world)).toEqual([]);
    const later = world.deploy(under(after));
    const wanted = after ?? 'alias/aws/secretsmanager';
    for (const _run of [1, 2]) {
      const [message = '', ...others] = await said(later);
      expect(others).toEqual([]);
      expect(message.startsWith(sentence)).toBe(true);
      expect(message).toContain(`update-secret --secret-id ${TELEGRAF} --kms-key-id ${wanted};`);
      await world.wait(HOUR);
      await later.rotate();
      expect(world.aws.state.secrets[TELEGRAF]?.kmsKeyId).toBe(before);
    }
    await world.people.encrypt(TELEGRAF, wanted);
    expect(await said(later)).toEqual([]);
  },
);

test('a secret whose name the policy gives, or that was adopted, is under a key of somebody else: nothing is said', async () => {
  const named = { telegraf: { ...writer, secret: 'monitoring/telegraf' } };
  const world = await openWorldForTest(under('alias/tokens', named));
  await world.rotate();
  expect(await said(world.deploy(under('alias/new', named)))).toEqual([]);
});

test('of two aliases it is not said that they are two keys', async () => {
  const world = await openWorldForTest(under('alias/tokens'));
  await world.rotate();
  const [message = ''] = await said(world.deploy(under('alias/new')));
  expect(message).toContain(
    'it stays, and needs that key until it is moved (both may be one key: which one an alias means, nobody looks up; ',
  );
  const [other = ''] = await said(world.deploy(under()));
  expect(other).not.toContain('nobody looks');
});

test('nothing is said of keys by a policy file alone: an app may name another key than that', () => {
  const entry = { name: 'telegraf', secret: TELEGRAF } as Parameters<typeof otherKey>[1];
  const seen = { secret: { name: TELEGRAF, key: KEY, tags: {} } } as Parameters<typeof otherKey>[2];
  const policy = { owner: 'prod' };
  expect(otherKey(policy, entry, seen)).toEqual([]);
  expect(otherKey({ ...policy, isDeployed: true }, entry, seen)).toHaveLength(1);
});

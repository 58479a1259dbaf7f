import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SecretVersion } from '../../../sandbox/aws/state.ts';
import { id, start } from './start.ts';

const SecretId = 'fleet/telegraf';

const versionId = fc.integer({ min: 1, max: 5 }).map(id);
const label = fc.constantFrom('AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS', 'CANARY');

const put = fc.record({
  kind: fc.constant('put' as const),
  version: versionId,
  labels: fc.option(fc.uniqueArray(label, { minLength: 1, maxLength: 3 }), { nil: undefined }),
});

const move = fc.record({
  kind: fc.constant('move' as const),
  label,
  from: fc.option(versionId, { nil: undefined }),
  to: fc.option(versionId, { nil: undefined }),
});

const anyStep = fc.oneof(put, move);
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never;

test('whatever is put and moved, a label sits once, AWSCURRENT always, and values never change', async () => {
  const { aws, client } = await start();
  const versions = () => Object.values(aws.state.secrets[SecretId]?.versions ?? {});

  const act = (step: Step) =>
    step.kind === 'put'
      ? client.putSecretValue({
          SecretId,
          ClientRequestToken: step.version,
          SecretString: `value ${Number(step.version)}`,
          VersionStages: step.labels,
        })
      : client.updateSecretVersionStage({
          SecretId,
          VersionStage: step.label,
          RemoveFromVersionId: step.from,
          MoveToVersionId: step.to,
        });

  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 12 }), async (steps) => {
      await client.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
      await client.createSecret({ Name: SecretId, SecretString: 'value 0' });
      for (const step of steps) {
        const before = structuredClone(versions());
        await act(step).catch(() => expect(versions()).toEqual(before));
        refuseDisorder(versions());
      }
    }),
    { numRuns: 60, seed: 1 },
  );
});

function refuseDisorder(versions: readonly SecretVersion[]) {
  const labels = versions.flatMap((version) => version.stages);
  expect(new Set(labels).size).toBe(labels.length);
  expect(labels).toContain('AWSCURRENT');
  for (const version of versions)
    expect(['value 0', `value ${Number(version.id)}`]).toContain(version.secretString);
}

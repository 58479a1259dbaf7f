import { expect, test } from 'vitest';
import { id, refusal, start } from './start.ts';

const SecretId = 'fleet/telegraf';

/** Version 1 is current, version 2 pending, version 3 has no label. */
async function startWithVersions() {
  const { aws, client } = await start();
  await client.createSecret({ Name: SecretId, SecretString: '1', ClientRequestToken: id(1) });
  for (const seed of [3, 2]) {
    const ClientRequestToken = id(seed);
    const VersionStages = ['AWSPENDING'];
    await client.putSecretValue({ SecretId, ClientRequestToken, SecretString: '-', VersionStages });
  }
  const stages = (seed: number) => aws.state.secrets[SecretId]?.versions[id(seed)]?.stages;
  const move = (VersionStage: string, from?: number, to?: number) =>
    client.updateSecretVersionStage({
      SecretId,
      VersionStage,
      RemoveFromVersionId: from === undefined ? undefined : id(from),
      MoveToVersionId: to === undefined ? undefined : id(to),
    });
  return { client, stages, move };
}

test('AWSCURRENT moves from the version that bears it, and AWSPREVIOUS follows', async () => {
  const { move, stages } = await startWithVersions();
  await move('AWSCURRENT', 1, 2);
  expect([stages(1), stages(2)]).toEqual([['AWSPREVIOUS'], ['AWSCURRENT', 'AWSPENDING']]);
});

test('moving AWSCURRENT back exchanges it with AWSPREVIOUS', async () => {
  const { move, stages } = await startWithVersions();
  await move('AWSCURRENT', 1, 2);
  await move('AWSCURRENT', 2, 1);
  expect([stages(1), stages(2)]).toEqual([['AWSCURRENT'], ['AWSPENDING', 'AWSPREVIOUS']]);
});

test('AWSPREVIOUS leaves its former holder without a label', async () => {
  const { move, stages } = await startWithVersions();
  await move('AWSCURRENT', 1, 2);
  await move('AWSCURRENT', 2, 3);
  expect([stages(1), stages(3)]).toEqual([[], ['AWSCURRENT']]);
});

test('a move that does not say where the label sits is refused', async () => {
  const { move, stages } = await startWithVersions();
  expect(await refusal(move('AWSCURRENT', undefined, 2))).toBe(
    `InvalidParameterException: The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version ${id(1)}, so you must explicitly reference that version in RemoveFromVersionId.`,
  );
  expect(stages(1)).toEqual(['AWSCURRENT']);
});

test('a move from a version that no longer bears the label is refused', async () => {
  const { move, stages } = await startWithVersions();
  await move('AWSCURRENT', 1, 2);
  expect(await refusal(move('AWSCURRENT', 1, 3))).toMatch(/^InvalidParameterException/);
  expect(stages(2)).toContain('AWSCURRENT');
});

test('repeating a move that was made is refused', async () => {
  const { move } = await startWithVersions();
  await move('AWSCURRENT', 1, 2);
  expect(await refusal(move('AWSCURRENT', 1, 2))).toMatch(/^InvalidParameterException/);
});

test('the compare-and-set holds for AWSPENDING and custom labels too', async () => {
  const { move, stages } = await startWithVersions();
  expect(await refusal(move('AWSPENDING', undefined, 3))).toMatch(/^InvalidParameterException/);
  expect(await refusal(move('AWSPENDING', 1, 3))).toMatch(/^InvalidParameterException/);
  await move('AWSPENDING', 2, 3);
  expect([stages(2), stages(3)]).toEqual([[], ['AWSPENDING']]);
});

test('a label that nobody bears is attached without saying where from', async () => {
  const { move, stages } = await startWithVersions();
  await move('CANARY', undefined, 2);
  expect(stages(2)).toEqual(['AWSPENDING', 'CANARY']);
});

test('AWSCURRENT cannot be taken off', async () => {
  const { move, stages } = await startWithVersions();
  expect(await refusal(move('AWSCURRENT', 1))).toBe(
    "InvalidParameterException: You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
  );
  expect(stages(1)).toEqual(['AWSCURRENT']);
});

test.each(['AWSPENDING', 'AWSPREVIOUS'])('%s can be taken off', async (label) => {
  const { move, stages } = await startWithVersions();
  await move('AWSCURRENT', 1, 2);
  const holder = label === 'AWSPENDING' ? 2 : 1;
  await move(label, holder);
  expect(stages(holder)).not.toContain(label);
});

test('taking AWSPREVIOUS off fails once somebody rolled back', async () => {
  const { move } = await startWithVersions();
  await move('AWSCURRENT', 1, 2);
  await move('AWSCURRENT', 2, 1);
  expect(await refusal(move('AWSPREVIOUS', 1))).toMatch(/^InvalidParameterException/);
});

test('a label does not move to a version that does not exist', async () => {
  const { move, stages } = await startWithVersions();
  expect(await refusal(move('AWSCURRENT', 1, 9))).toMatch(/^ResourceNotFoundException/);
  expect(stages(1)).toEqual(['AWSCURRENT']);
});

test('a version and a label that disagree are refused, a matching pair is read', async () => {
  const { client } = await startWithVersions();
  const read = (VersionId: string) =>
    client.getSecretValue({ SecretId, VersionId, VersionStage: 'AWSPENDING' });
  expect(await refusal(read(id(1)))).toMatch(/^InvalidRequestException/);
  expect((await read(id(2))).VersionId).toBe(id(2));
});

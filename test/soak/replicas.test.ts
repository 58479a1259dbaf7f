import { expect, test } from 'vitest';
import { viewOf } from '../crash/view.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { policyWith, TELEGRAF, writer } from '../world/policy.ts';
import { createReplicas } from './replicas.ts';

const FRANKFURT = 'eu-central-1';
const LISTED = [TELEGRAF];
const lacks = `${TELEGRAF} has no copy in ${FRANKFURT}`;

/** Keyturn ran by a policy that wants copies, or by one that wants none. */
async function openLife(replicaRegions = [FRANKFURT]) {
  const policy = policyWith({ telegraf: writer }, { deployment: { replicaRegions } });
  const world = await openWorldForTest(policy, { isSimulated: true });
  await world.rotate();
  const { cluster, aws, clock, account, people } = world;
  const view = () => viewOf(cluster.state, aws.state, clock.now());
  return { people, view, replicas: createReplicas(world, account, [FRANKFURT]) };
}

test('a copy that is there is missed by nobody, and one that a person removed is', async () => {
  const { view, replicas } = await openLife();
  expect(replicas.unsettled(view(), LISTED)).toEqual([]);
  await replicas.act('removes', TELEGRAF, FRANKFURT);
  expect(replicas.unsettled(view(), LISTED)).toEqual([`D: ${lacks}`]);
});

test('a secret of the same name is no copy, until people delete it and Keyturn makes one', async () => {
  const { view, replicas, people } = await openLife();
  await replicas.act('keeps as a secret of its own', TELEGRAF, FRANKFURT);
  expect(replicas.unsettled(view(), LISTED)).toEqual([`D: ${lacks}`]);
  await replicas.mend(TELEGRAF);
  await people.replicate(TELEGRAF, FRANKFURT);
  expect(replicas.unsettled(view(), LISTED)).toEqual([]);
});

test('what people replicate where its name is taken fails, and is taken back', async () => {
  const { view, replicas, people } = await openLife([]);
  await replicas.act('makes where its name is taken', TELEGRAF, FRANKFURT);
  expect(replicas.unsettled(view(), LISTED)).toEqual([`D: ${lacks}`]);
  await replicas.mend(TELEGRAF);
  await people.replicate(TELEGRAF, FRANKFURT);
  expect(replicas.unsettled(view(), LISTED)).toEqual([]);
});

test('a run that ends well has made the copies that were lacking when it began', async () => {
  const { view, replicas } = await openLife([]);
  const ended = replicas.enter(view(), LISTED);
  expect(ended({}, view())).toEqual([`K: rotate ended well, and ${lacks}`]);
  const error = { errorType: 'Error', errorMessage: 'it could not' };
  expect(ended({ error }, view())).toEqual([]);
});

test('nobody makes copies of what a person put on hold, nor while people take them away', async () => {
  const { view, replicas, people } = await openLife([]);
  const disturbed = replicas.enter(view(), LISTED);
  await replicas.act('removes', TELEGRAF, FRANKFURT);
  expect(disturbed({}, view())).toEqual([]);
  await people.hold(TELEGRAF, 'frozen');
  expect(replicas.unsettled(view(), LISTED)).toEqual([]);
});

import { HOUR } from '../../world/policy.ts';
import { deleteToken } from '../acts.ts';
import type { Laboratory } from '../laboratory.ts';
import { SECRET } from '../policy.ts';
import {
  begin,
  dieAfter,
  dieRenewing,
  forced,
  issue,
  renew,
  retire,
  rotate,
  rotateFully,
  type Scenario,
  SETTLED,
  untilDue,
} from './scenario.ts';

const former = ({ history, view }: Laboratory) =>
  history.first[view().secrets.get(SECRET)?.home ?? ''];

export const rotation: readonly Scenario[] = [
  { name: 'first issue', run: rotate, prepare: begin },
  { name: 'renewal', run: rotate, prepare: untilDue },
  {
    name: 'promotion of a token that has settled',
    run: rotate,
    async prepare(laboratory) {
      await untilDue(laboratory);
      await laboratory.invoke(rotate);
      await laboratory.world.wait(SETTLED);
    },
  },
  {
    name: 'promotion of a token after a save',
    run: rotate,
    async prepare(laboratory) {
      const { world } = laboratory;
      await untilDue(laboratory);
      await laboratory.invoke(rotate);
      await world.wait(SETTLED);
      await world.people.saveValue(SECRET, world.value(SECRET));
    },
  },
  {
    name: 'a forced rotation',
    run: forced,
    async prepare(laboratory) {
      await issue(laboratory);
      await laboratory.world.wait(3 * HOUR);
    },
  },
  {
    name: 'a forced rotation while a token settles',
    run: forced,
    async prepare(laboratory) {
      await untilDue(laboratory);
      await laboratory.invoke(rotate);
    },
  },
  {
    name: 'a first version that was never armed',
    run: rotate,
    async prepare(laboratory) {
      await begin(laboratory);
      await dieAfter(laboratory, 'PutSecretValue');
    },
  },
  {
    name: 'resuming a pending token, inert',
    run: rotate,
    prepare: (laboratory) => dieRenewing(laboratory, 'PutSecretValue'),
  },
  {
    name: 'resuming a pending token, armed',
    run: rotate,
    prepare: (laboratory) => dieRenewing(laboratory, 'PATCH /tokens/{id}'),
  },
  {
    name: 'a pending token that is due no more',
    run: rotate,
    async prepare(laboratory) {
      await dieRenewing(laboratory, 'PATCH /tokens/{id}');
      const { AWSPENDING } = laboratory.world.labels(SECRET);
      await rotateFully(laboratory);
      await laboratory.world.wait(2 * HOUR);
      await dieAfter(laboratory, 'PATCH /tokens/{id}', forced);
      await laboratory.world.people.makeCurrent(SECRET, AWSPENDING);
    },
  },
  {
    name: 'a current token that is gone',
    run: rotate,
    async prepare(laboratory) {
      await issue(laboratory);
      await laboratory.world.wait(3 * HOUR);
      await deleteToken('AWSCURRENT')(laboratory.world);
    },
  },
  {
    name: 'renewal after a rollback',
    run: rotate,
    async prepare(laboratory) {
      await renew(laboratory);
      await retire(laboratory, 1);
      await laboratory.world.people.makeCurrent(SECRET, former(laboratory));
      await laboratory.world.wait(HOUR);
    },
  },
  {
    name: 'a rollback to a quarantined token',
    run: rotate,
    async prepare(laboratory) {
      await renew(laboratory);
      await retire(laboratory, 2);
      await laboratory.world.people.makeCurrent(SECRET, former(laboratory));
    },
  },
];

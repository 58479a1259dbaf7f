import { HOUR, MINUTE } from '../../world/policy.ts';
import { acts, deleteToken } from '../acts.ts';
import type { Laboratory } from '../laboratory.ts';
import { forced, issue, retire, rotate, type Scenario, untilDue } from './scenario.ts';

const pressed = 'RotateSecret';

export async function press(laboratory: Laboratory): Promise<void> {
  await issue(laboratory);
  await laboratory.world.wait(3 * HOUR);
  await laboratory.invoke(pressed);
}

/** Its four steps and all repetitions fail, for a reason that ends later: a version waits, without a value or with one. */
async function failPressed(laboratory: Laboratory, operation: string): Promise<void> {
  await issue(laboratory);
  await laboratory.world.wait(3 * HOUR);
  laboratory.world.intercept(async (call, effect) =>
    call.caller !== undefined && call.operation === operation ? 'reset' : effect(),
  );
  await laboratory.invoke(pressed);
  laboratory.world.intercept();
}

const afterFailure = (name: string, operation: string): Scenario => ({
  name: `${name} after a rotation by Secrets Manager that failed at ${operation}`,
  run: rotate,
  async prepare(laboratory) {
    await failPressed(laboratory, operation);
    await laboratory.world.wait(2 * HOUR);
  },
});

export const secretsManager: readonly Scenario[] = [
  {
    name: 'rotation by Secrets Manager',
    run: pressed,
    async prepare(laboratory) {
      await issue(laboratory);
      await laboratory.world.wait(3 * HOUR);
    },
  },
  { name: 'rotation by Secrets Manager when due', run: pressed, prepare: untilDue },
  {
    name: 'a second rotation by Secrets Manager',
    run: pressed,
    async prepare(laboratory) {
      await press(laboratory);
      await retire(laboratory, 1);
    },
  },
  {
    name: 'renewal after a rotation by Secrets Manager',
    run: rotate,
    async prepare(laboratory) {
      await press(laboratory);
      await laboratory.world.wait(48 * HOUR);
    },
  },
  {
    name: 'a token of Secrets Manager that is gone',
    run: rotate,
    async prepare(laboratory) {
      await press(laboratory);
      await retire(laboratory, 1);
      await deleteToken('AWSCURRENT')(laboratory.world);
    },
  },
  afterFailure('a run', 'PutSecretValue'),
  afterFailure('a run', 'POST /tokens'),
  {
    name: 'a forced rotation after one by Secrets Manager was cancelled',
    run: forced,
    async prepare(laboratory) {
      await issue(laboratory);
      await acts['cancels a rotation']?.(laboratory.world);
      await laboratory.world.wait(2 * HOUR);
    },
  },
  {
    name: 'a run soon after a rotation by Secrets Manager failed at arming',
    run: rotate,
    async prepare(laboratory) {
      await failPressed(laboratory, 'PATCH /tokens/{id}');
      await laboratory.world.wait(5 * MINUTE);
    },
  },
];

import { PutSecretValueCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { secretOf } from './policy.ts';
import { currentValue, type Incident, type Stage } from './stage.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Not while a schedule runs: who wins then is chance. */
const BETWEEN_MS = 8 * MINUTE_MS;

/** `keyturn rotate grafana`. */
const rotateByName = ({ invocations, startAt, record }: Stage): Incident => ({
  at: startAt + 2 * DAY_MS + BETWEEN_MS,
  async happen() {
    record({ who: 'person', what: 'somebody wants a new token for grafana now; keyturn rotate' });
    await invocations.invoke('rotate', { tokens: ['grafana'], force: true });
  },
});

/** Somebody opens a secret in the console, presses Edit, and saves it as it is. */
const saveAsItIs = ({ sandbox, secrets, startAt, record }: Stage): Incident => ({
  at: startAt + 4 * DAY_MS + BETWEEN_MS,
  async happen() {
    const SecretId = secretOf('telegraf');
    record({
      who: 'person',
      what: 'somebody saves the secret of telegraf in the console as it is',
    });
    await secrets.send(
      new PutSecretValueCommand({
        SecretId,
        SecretString: currentValue(sandbox, SecretId).text,
        ClientRequestToken: '5a7e0000-0000-4000-8000-000000000000',
      }),
    );
  },
});

/** Somebody presses "Rotate secret immediately" in the console. */
const rotateInConsole = (stage: Stage): Incident => ({
  at: stage.startAt + 7 * DAY_MS + BETWEEN_MS,
  async happen() {
    const { clock, invocations, record, sandbox, secrets } = stage;
    const { aws } = sandbox;
    const name = 'secrets-manager-rotation';
    aws.rotationInvoker = (_arn, event) =>
      clock.spawn('Secrets Manager', async () => {
        const answer = await invocations.invoke(name, event);
        if ('error' in answer) throw new Error(answer.error.errorMessage);
      });
    record({ who: 'person', what: 'somebody lets Secrets Manager rotate invoices in the console' });
    await secrets.send(
      new RotateSecretCommand({
        SecretId: secretOf('invoices'),
        RotationLambdaARN: `arn:aws:lambda:${aws.region}:${aws.accountId}:function:keyturn-demo-${name}`,
        ClientRequestToken: '20707a7e-0000-4000-8000-000000000000',
      }),
    );
    await clock.waitFor(aws.settled());
  },
});

/** What people do, and may do, to a token that works. */
export const actsByHand = (stage: Stage): readonly Incident[] => [
  rotateByName(stage),
  saveAsItIs(stage),
  rotateInConsole(stage),
];

import type { Sandbox } from '../sandbox.ts';
import { actsByHand } from './by-hand.ts';
import { leakedString } from './leak.ts';
import { secretOf } from './policy.ts';
import type { Sabotage } from './sabotage.ts';
import { currentValue, type Incident, type Stage, short } from './stage.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

async function manage(
  { cluster }: Sandbox,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const answer = await fetch(`${cluster.url}/api/v0${path}`, {
    method,
    headers: {
      authorization: `Bearer ${cluster.managementToken}`,
      'content-type': 'application/json',
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

/** Kills the next run's process after minting and before storing: the new token's string is lost. */
const crashWhileStoring = ({ sandbox, host, startAt, invocations, record }: Stage): Incident => ({
  at: startAt + 3 * DAY_MS,
  happen() {
    const { aws } = sandbox;
    const { intercept } = aws;
    aws.intercept = async (call, effect) => {
      const { operation, caller } = call;
      if (operation !== 'PutSecretValue' || !caller?.startsWith('rotate-')) {
        return intercept(call, effect);
      }
      aws.intercept = intercept;
      const what = `the process of ${caller} is killed between minting and storing a token`;
      record({ who: 'incident', what });
      invocations.explain({ who: 'rotate', errorType: 'Runtime.ExitError' });
      await host.kill(caller);
      return 'reset';
    };
  },
});

/** Somebody mints a token by hand and lets it expire. */
const forgottenToken = ({ sandbox, startAt, record }: Stage): Incident => ({
  at: startAt + 8 * DAY_MS,
  async happen() {
    const expiresAt = new Date(startAt + 12 * DAY_MS).toISOString().replace('.000', '');
    const permissions = [{ action: 'read', resource: 'telemetry' }];
    const description = 'for the demo at the fair';
    await manage(sandbox, 'POST', '/tokens', { description, permissions, expiresAt });
    record({ who: 'incident', what: 'somebody mints a token by hand; it expires in four days' });
  },
});

/** Somebody shortens a database's retention in a console. */
const shortenedRetention = ({ sandbox, startAt, record }: Stage): Incident => ({
  at: startAt + 5 * DAY_MS + 20 * 60_000,
  async happen() {
    const retentionPeriod = 30 * DAY_MS * 1_000_000;
    await manage(sandbox, 'PATCH', '/databases/billing', { retentionPeriod });
    record({ who: 'incident', what: 'somebody shortens the retention of billing to 30d' });
  },
});

/** Somebody deletes a token that consumers use. */
const revokeByHand = ({ sandbox, startAt, record }: Stage): Incident => ({
  at: startAt + 10 * DAY_MS + 10 * 60_000,
  async happen() {
    const { tokenId } = currentValue(sandbox, secretOf('telegraf'));
    await manage(sandbox, 'DELETE', `/tokens/${tokenId}`);
    const what = `somebody deletes ${short(tokenId)}, the current token of telegraf`;
    record({ who: 'sabotage', what });
  },
});

export const incidentsOf = (stage: Stage, sabotage: Sabotage | undefined): readonly Incident[] => [
  ...actsByHand(stage),
  crashWhileStoring(stage),
  shortenedRetention(stage),
  forgottenToken(stage),
  leakedString(stage),
  ...(sabotage === 'revoke' ? [revokeByHand(stage)] : []),
];

/** The databases that exist before Keyturn is deployed. */
export async function createDatabases(sandbox: Sandbox): Promise<void> {
  const YEAR_NS = 31_536_000_000_000_000;
  await manage(sandbox, 'POST', '/databases', { name: 'telemetry' });
  await manage(sandbox, 'POST', '/databases', { name: 'billing', retentionPeriod: YEAR_NS });
}

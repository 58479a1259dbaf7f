import { setTimeout as sleep } from 'node:timers/promises';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { expect } from '../expect.ts';
import { secretOf } from '../policy.ts';
import type { Report } from '../report.ts';
import { eventually } from '../waiting.ts';
import type { World } from '../world.ts';
import { type Repeated, readToken, startDashboard, startSidecar } from './consumers.ts';
import type { Write } from './front.ts';
import type { Influxd, Series } from './influxd.ts';
import type { Keyturn } from './keyturn.ts';
import type { Telegraf } from './telegraf.ts';

const HOUR_MS = 3_600_000;
const NANOSECONDS_A_DAY = 86_400_000_000_000;
const RUN_EVERY_MS = 5_000;
/** Entries of the policy: Telegraf's, and the dashboard's. */
const CONSUMERS = ['telegraf', 'grafana'];

export interface Scene {
  readonly sandbox: Sandbox;
  readonly world: World;
  readonly influxd: Influxd;
  readonly telegraf: Telegraf;
  readonly keyturn: Keyturn;
  readonly secrets: SecretsManagerClient;
  /** Telegraf's so far. */
  readonly writes: readonly Write[];
  readonly report: Report;
}

interface Consumers {
  readonly sidecar: Repeated;
  readonly dashboard: Repeated;
}

async function retentionOf({ influxd }: Scene, database: string): Promise<unknown> {
  const [policies] = await influxd.query(`SHOW RETENTION POLICIES ON "${database}"`);
  return policies?.values[0]?.[policies.columns.indexOf('duration')];
}

/** All points of a database, whatever they measure. */
const pointsIn = ({ influxd }: Scene, database: string): Promise<readonly Series[]> =>
  influxd.query('SELECT * FROM /.*/', database);

const countOf = (series: readonly Series[]) =>
  series.reduce((sum, { values }) => sum + values.length, 0);

/** Writes one point; returns the status of the answer. */
async function write({ sandbox }: Scene, token: string, database: string, line: string) {
  const answer = await fetch(`${sandbox.cluster.url}/api/v2/write?bucket=${database}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'e2e' },
    body: line,
  });
  return answer.status;
}

function currentId({ world }: Scene, entry: string): string {
  const token = world.labelled(entry, 'AWSCURRENT');
  if (!token) throw new Error(`found no token with AWSCURRENT in ${secretOf(entry)}`);
  return token.id;
}

/** Until Telegraf writes and the dashboard asks, with tokens of Keyturn's. */
export async function begin(scene: Scene, cleanup: AsyncDisposableStack): Promise<Consumers> {
  const { world, keyturn, secrets, sandbox, telegraf, influxd, report } = scene;
  await report.step('a database and its retention of 30 days become those of influxd', async () => {
    const retentionPeriod = 30 * NANOSECONDS_A_DAY;
    await world.manage('POST', '/databases', { name: 'telemetry', retentionPeriod });
    expect('retention', await retentionOf(scene, 'telemetry'), '720h0m0s');
  });
  await report.step('rotate issues every token', () => keyturn.invoke('rotate', {}));
  const sidecar = startSidecar(secrets, secretOf('telegraf'), telegraf.hold);
  cleanup.defer(() => sidecar.stop());
  await report.step('Telegraf writes with the token in its directory', async () => {
    await eventually(10_000, () => sidecar.times > 1);
    telegraf.start();
    cleanup.defer(() => telegraf.end());
    const written = async () => countOf(await pointsIn(scene, 'telemetry')) > 0;
    await eventually(30_000, written, () => telegraf.log().slice(-2_000));
  });
  const dashboard = startDashboard(secrets, secretOf('grafana'), {
    url: sandbox.cluster.url,
    database: 'telemetry',
    q: 'SELECT last("metrics_gathered") FROM "internal_agent"',
  });
  cleanup.defer(() => dashboard.stop());
  await report.check("a retention that enforce corrects is influxd's own", async () => {
    await keyturn.invoke('enforce', {});
    expect('of telemetry', await retentionOf(scene, 'telemetry'), '2160h0m0s');
    expect('of billing', await retentionOf(scene, 'billing'), '8760h0m0s');
    expect('databases', (await influxd.query('SHOW DATABASES'))[0]?.values.flat(), [
      'telemetry',
      'billing',
    ]);
  });
  return { sidecar, dashboard };
}

interface Held {
  readonly id: string;
  readonly string: string;
}

/** What the consumers hold now. */
const heldNow = (scene: Scene): Promise<readonly Held[]> =>
  Promise.all(
    CONSUMERS.map(async (entry) => ({
      id: currentId(scene, entry),
      string: await readToken(scene.secrets, secretOf(entry)),
    })),
  );

function isReplaced(scene: Scene, old: readonly Held[]): boolean {
  const current = CONSUMERS.map((entry) => currentId(scene, entry));
  return !old.some(({ id }) => current.includes(id));
}

const age = ({ world }: Scene, tokens: readonly Held[], milliseconds: number) => {
  for (const { id } of tokens) world.age(id, milliseconds);
};

/** In one run. Returns the old tokens. */
async function rotateByName(scene: Scene): Promise<readonly Held[]> {
  const { keyturn, report } = scene;
  const old = await heldNow(scene);
  await report.step('rotate, forced by a person, replaces the tokens of both', async () => {
    await keyturn.invoke('rotate', { tokens: CONSUMERS, force: true });
    expect('replaced', isReplaced(scene, old), true);
  });
  age(scene, old, 2 * HOUR_MS);
  return old;
}

/** As schedules do. Returns the old tokens. */
async function rotateDue(
  scene: Scene,
  whileTheySettle: () => Promise<void>,
): Promise<readonly Held[]> {
  const { keyturn, report } = scene;
  const old = await heldNow(scene);
  age(scene, old, 25 * HOUR_MS);
  await report.step('rotate arms successors of tokens that are due', async () => {
    await keyturn.invoke('rotate', {});
    expect('replaced', isReplaced(scene, old), false);
  });
  await whileTheySettle();
  await report.step('rotate promotes them, once they have settled', () =>
    eventually(90_000, async () => {
      await sleep(RUN_EVERY_MS);
      await keyturn.invoke('rotate', {});
      return isReplaced(scene, old);
    }),
  );
  return old;
}

/** Until nothing of them is left. */
const retire = (scene: Scene, old: readonly Held[]) =>
  scene.report.step('reap retires the old tokens, whose writes are then refused', async () => {
    const { world, keyturn } = scene;
    await eventually(90_000, async () => {
      await sleep(RUN_EVERY_MS);
      await keyturn.invoke('reap', {});
      return old.every(({ id }) => world.token(id) === undefined);
    });
    // Until the gate has learnt of the deletion it says 403, because they have no permissions any more.
    await eventually(10_000, async () => {
      const statuses = await Promise.all(
        old.map((each) => write(scene, each.string, 'telemetry', 'dead value=1')),
      );
      return statuses.every((status) => status === 401);
    });
  });

const revokeInvoices = (scene: Scene) =>
  scene.report.check('revoke replaces a leaked token, whose writes are then refused', async () => {
    const { keyturn, secrets } = scene;
    const leaked = await readToken(secrets, secretOf('invoices'));
    expect('before', await write(scene, leaked, 'billing', 'invoice number=1i'), 204);
    await keyturn.invoke('revoke', { token: 'invoices', reason: 'in a public repository' });
    expect('after', await write(scene, leaked, 'billing', 'invoice number=2i'), 401);
    const successor = await readToken(secrets, secretOf('invoices'));
    expect('successor', await write(scene, successor, 'billing', 'invoice number=3i'), 204);
    const [invoices] = await pointsIn(scene, 'billing');
    expect(
      'stored',
      invoices?.values.map((values) => values.at(-1)),
      [1, 3],
    );
  });

/** Three rotations, and one revocation. */
export async function live(scene: Scene): Promise<void> {
  const first = await rotateByName(scene);
  const second = await rotateDue(scene, async () => {
    await retire(scene, first);
    await revokeInvoices(scene);
  });
  const third = await rotateDue(scene, () => retire(scene, second));
  await retire(scene, third);
}

/** What Telegraf had gathered by its own count before its last measurement, and how many of those points there are. */
function countedByTelegraf(points: readonly Series[]) {
  const agent = points.find(({ name }) => name === 'internal_agent');
  const last = agent?.values.at(-1) ?? [];
  const field = (name: string) => Number(last[agent?.columns.indexOf(name) ?? -1]);
  const earlier = points.map(
    ({ values }) => values.filter(([time]) => Number(time) < field('time')).length,
  );
  return {
    gathered: field('metrics_gathered'),
    stored: earlier.reduce((sum, count) => sum + count, 0),
  };
}

/** What must be true of the whole run, once everybody has stopped. */
export async function checkWholeRun(
  scene: Scene,
  { sidecar, dashboard }: Consumers,
): Promise<void> {
  const { report, telegraf, writes } = scene;
  await Promise.all([sidecar.stop(), dashboard.stop(), telegraf.end()]);
  const points = await pointsIn(scene, 'telemetry');
  await report.check(`no write of Telegraf was refused (${writes.length} writes)`, () => {
    expect(
      'refused',
      writes.filter(({ status }) => status !== 204),
      [],
    );
    expect('at least 60', writes.length >= 60, true);
    expect(
      'complaints',
      telegraf
        .log()
        .split('\n')
        .filter((line) => line.includes(' E! ')),
      [],
    );
    expect('failures of the sidecar', sidecar.failures, []);
  });
  await report.check(`none of its points was lost (${countOf(points)} points)`, () => {
    const accepted = writes.filter(({ status }) => status === 204);
    const lines = accepted.reduce((sum, each) => sum + each.lines, 0);
    expect('points in influxd', countOf(points), lines);
    const { gathered, stored } = countedByTelegraf(points);
    expect('before its last measurement', stored, gathered);
  });
  await report.check('no point that a dead token wrote is in the database', () => {
    expect(
      'dead',
      points.find(({ name }) => name === 'dead'),
      undefined,
    );
  });
  await report.check(`no query of the dashboard was refused (${dashboard.times} queries)`, () => {
    expect('refused', dashboard.failures, []);
    expect('at least 60', dashboard.times >= 60, true);
  });
}

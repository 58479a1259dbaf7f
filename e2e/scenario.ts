import { z } from 'zod';
import { expect } from './expect.ts';
import { MANAGEMENT_SECRET, secretOf } from './policy.ts';
import { readmeCommand } from './readme-command.ts';
import type { Report } from './report.ts';
import type { Stage } from './stage.ts';
import { eventually } from './waiting.ts';
import { bears, type World } from './world.ts';

const HOUR_MS = 3_600_000;
/** A schedule of a minute, on a machine that is busy. */
const NEXT_RUN_MS = 150_000;

const NANOSECONDS_A_DAY = 86_400_000_000_000;

const createdSchema = z.object({ id: z.string() });
const revokedSchema = z.object({ confirmed: z.boolean() });
const answerSchema = z.object({
  plan: z.object({ actions: z.array(z.object({ kind: z.string() })) }),
});

export interface Scene {
  readonly stage: Stage;
  readonly world: World;
  readonly report: Report;
}

/** The id of the token that a label names. */
function labelled(world: World, entry: string, label: string): string {
  const token = world.labelled(entry, label);
  if (!token) throw new Error(`${secretOf(entry)} has no ${label} that names a token`);
  return token.id;
}

const ENTRIES = [
  ['telegraf', 'telemetry'],
  ['grafana', 'telemetry'],
  ['invoices', 'billing'],
] as const;

export interface ForeignTokens {
  /** Expires before Keyturn first looks. */
  readonly expired: string;
  readonly alive: string;
}

/** Databases and tokens that were there before Keyturn. */
export async function furnish({ manage }: World, lifeMs: number): Promise<ForeignTokens> {
  await manage('POST', '/databases', {
    name: 'telemetry',
    retentionPeriod: 30 * NANOSECONDS_A_DAY,
  });
  await manage('POST', '/databases', { name: 'audit', retentionPeriod: 7 * NANOSECONDS_A_DAY });
  const mint = async (extra: object) => {
    const permissions = [{ action: 'read', resource: 'telemetry' }];
    const body = { description: 'minted by hand', permissions, ...extra };
    return createdSchema.parse(await manage('POST', '/tokens', body)).id;
  };
  const expiresAt = `${new Date(Date.now() + lifeMs).toISOString().slice(0, 19)}Z`;
  return { expired: await mint({ expiresAt }), alive: await mint({}) };
}

/** What the README says to do after deploying: ask before you trust, then let it run. */
export async function issueFirstTokens({ stage, world, report }: Scene): Promise<void> {
  await report.check('rotate, reap and enforce answer a dry run and change nothing', async () => {
    for (const [output, planned] of [
      ['RotateFunction', { rotate: 3 }],
      ['ReapFunction', { 'delete-foreign': 1 }],
      ['EnforceFunction', { change: 2, 'create-database': 1 }],
    ] as const) {
      const { plan } = answerSchema.parse(await stage.invoke(output, { dryRun: true }));
      const kinds = Object.groupBy(plan.actions, ({ kind }) => kind);
      const counts = Object.entries(kinds).map(([kind, actions]) => [kind, actions?.length]);
      expect(`plan of ${output}`, Object.fromEntries(counts), planned);
    }
    expect('secrets', Object.keys(world.versions()), [MANAGEMENT_SECRET]);
    expect('days of retention', world.database('telemetry')?.retentionDays, 30);
  });
  await report.step('rotate, invoked by hand, mints, stores, proves and promotes', async () => {
    await stage.invoke('RotateFunction', {});
    for (const [entry, database] of ENTRIES) {
      const id = labelled(world, entry, 'AWSCURRENT');
      expect(`${entry} may write`, world.works(id, 'write', database), true);
    }
  });
}

/** Waits until some run notes `field` in the token's description. */
async function waitForStamp(world: World, id: string, field: string): Promise<void> {
  await eventually(
    NEXT_RUN_MS,
    () => {
      const token = world.token(id);
      if (!token) throw new Error(`the token is gone before it was ${field}`);
      return bears(token, field);
    },
    () => world.token(id)?.description ?? 'gone',
  );
}

/** A rotation before it is due. Returns the id of the token that it replaced. */
export function rotateTelegraf({ stage, world, report }: Scene): Promise<string> {
  return report.step('a forced rotation supersedes a token, which still works', async () => {
    const old = labelled(world, 'telegraf', 'AWSCURRENT');
    await stage.invoke('RotateFunction', { tokens: ['telegraf'], force: true });
    const current = labelled(world, 'telegraf', 'AWSCURRENT');
    expect('AWSCURRENT moved', current !== old, true);
    expect('AWSPREVIOUS', labelled(world, 'telegraf', 'AWSPREVIOUS'), old);
    await waitForStamp(world, old, 'superseded');
    expect('the old token works', world.works(old, 'write', 'telemetry'), true);
    world.age(old, 2 * HOUR_MS);
    return old;
  });
}

export const checkFenced = ({ world, report }: Scene, old: string) =>
  report.step("reap's schedule takes AWSPREVIOUS off it; it still works", async () => {
    await waitForStamp(world, old, 'fenced');
    expect('AWSPREVIOUS', world.labelled('telegraf', 'AWSPREVIOUS'), undefined);
    expect('it works', world.works(old, 'write', 'telemetry'), true);
  });

export const checkQuarantined = ({ world, report }: Scene, old: string) =>
  report.step("reap's schedule quarantines it: no permission, and refused", async () => {
    await waitForStamp(world, old, 'quarantined');
    expect('permissions', world.token(old)?.permissions, []);
    await eventually(10_000, () => !world.works(old, 'write', 'telemetry'));
  });

export const checkDeleted = ({ world, report }: Scene, old: string) =>
  report.step("reap's schedule deletes it", () =>
    eventually(
      NEXT_RUN_MS,
      () => world.token(old) === undefined,
      () => world.token(old)?.description ?? 'gone',
    ),
  );

export const checkDatabases = ({ world, report }: Scene) =>
  report.check("enforce's schedule corrects one database, creates another, keeps off a third", () =>
    eventually(
      NEXT_RUN_MS,
      () => {
        const databases = ['telemetry', 'billing', 'audit'].map((name) => world.database(name));
        const [telemetry, billing, audit] = databases;
        return (
          telemetry?.retentionDays === 90 &&
          telemetry.maxTables === 300 &&
          billing?.retentionDays === 365 &&
          audit?.retentionDays === 7
        );
      },
      () => JSON.stringify(['telemetry', 'billing', 'audit'].map(world.database)),
    ),
  );

export const checkForeign = ({ world, report }: Scene, { expired, alive }: ForeignTokens) =>
  report.check('an expired token of others is deleted, as the policy says; a live one stays', () =>
    eventually(NEXT_RUN_MS, () => !world.token(expired) && world.token(alive) !== undefined),
  );

/** The second policy's new entry, and its wider permissions, by schedules alone. */
export const checkSecondPolicy = ({ world, report }: Scene) =>
  report.check("rotate's schedule issues what the new policy adds, and widens", () =>
    eventually(
      NEXT_RUN_MS,
      () => {
        const added = world.labelled('backup', 'AWSCURRENT')?.id ?? '';
        const widened = world.labelled('grafana', 'AWSCURRENT')?.id ?? '';
        return world.works(added, 'read', 'telemetry') && world.works(widened, 'read', 'billing');
      },
      () => JSON.stringify(world.versions(), undefined, 1),
    ),
  );

/** A leaked token is revoked by the README's own command: a successor first, then no grace. */
export const revokeInvoices = ({ stage, world, report }: Scene) =>
  report.check("the README's aws lambda invoke revokes a leaked token, seen refused", async () => {
    const leaked = labelled(world, 'invoices', 'AWSCURRENT');
    const command = readmeCommand('aws lambda invoke').replace('"telegraf"', '"invoices"');
    const answer = revokedSchema.parse(await stage.shell(command, 'report.json'));
    expect('confirmed', answer.confirmed, true);
    expect('the leaked token', world.token(leaked), undefined);
    expect('it works', world.works(leaked, 'write', 'billing'), false);
    const successor = labelled(world, 'invoices', 'AWSCURRENT');
    expect('its successor works', world.works(successor, 'write', 'billing'), true);
  });

/** Nothing that was there is missing or labelled otherwise; there may be more. */
export function expectKept(
  before: ReturnType<World['versions']>,
  after: ReturnType<World['versions']>,
): void {
  for (const [secret, versions] of Object.entries(before)) expect(secret, after[secret], versions);
}

import { z } from 'zod';
import { expect } from './expect.ts';
import { MANAGEMENT_SECRET, ON_CALL, secretOf } from './policy.ts';
import { readmeCommand } from './readme-command.ts';
import type { Report } from './report.ts';
import type { Stage } from './stage.ts';
import { eventually } from './waiting.ts';
import { hasMark, type World } from './world.ts';

export const HOUR_MS = 3_600_000;
/** Enough for schedules that fire once a minute, on a busy machine. */
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
  if (!token) throw new Error(`found no token with ${label} in ${secretOf(entry)}`);
  return token.id;
}

const ENTRIES = [
  ['telegraf', 'telemetry'],
  ['grafana', 'telemetry'],
  ['invoices', 'billing'],
] as const;

export interface ForeignTokens {
  /** Expires before Keyturn's first run. */
  readonly expired: string;
  readonly alive: string;
}

/** Creates the databases and tokens that exist before Keyturn. */
export async function prepareCluster(
  { manage }: World,
  lifetimeMs: number,
): Promise<ForeignTokens> {
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
  const expiresAt = `${new Date(Date.now() + lifetimeMs).toISOString().slice(0, 19)}Z`;
  return { expired: await mint({ expiresAt }), alive: await mint({}) };
}

/** As the README says: first dry runs, then real runs. */
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
  await report.step('rotate, invoked by hand, issues every token', async () => {
    await stage.invoke('RotateFunction', {});
    for (const [entry, database] of ENTRIES) {
      const id = labelled(world, entry, 'AWSCURRENT');
      expect(`${entry} may write`, world.works(id, 'write', database), true);
    }
  });
}

const alarmsSchema = z.object({
  MetricAlarms: z.array(
    z.object({ AlarmActions: z.array(z.string()), OKActions: z.array(z.string()) }),
  ),
});
const subscriptionsSchema = z.object({
  Subscriptions: z.array(z.object({ TopicArn: z.string(), Endpoint: z.string() })),
});

export const checkAlarms = ({ stage, report }: Scene) =>
  report.check('every alarm, and its end, goes to the recipient of the policy', async () => {
    const { Subscriptions } = subscriptionsSchema.parse(
      await stage.aws('sns', 'list-subscriptions'),
    );
    expect(
      'endpoints',
      Subscriptions.map(({ Endpoint }) => Endpoint),
      [ON_CALL],
    );
    const told = Subscriptions.map(({ TopicArn }) => TopicArn);
    const { MetricAlarms } = alarmsSchema.parse(await stage.aws('cloudwatch', 'describe-alarms'));
    expect('at least 20 alarms', MetricAlarms.length >= 20, true);
    for (const { AlarmActions, OKActions } of MetricAlarms) {
      expect('recipients of an alarm', [AlarmActions, OKActions], [told, told]);
    }
  });

const statusSchema = z.object({
  tokens: z.array(z.object({ token: z.string(), condition: z.string(), accepted: z.string() })),
});

const historySchema = z.object({
  complete: z.boolean(),
  entries: z.array(z.object({ what: z.string(), by: z.string().optional() })),
  rotations: z.array(
    z.object({
      tokenId: z.string(),
      formerId: z.string().optional(),
      by: z.string().optional(),
      steps: z.array(z.object({ step: z.string(), at: z.string().optional() })),
    }),
  ),
});

/** What a rotation by name, and an order, left in the logs, in the markers and in the versions. */
async function tellHistory({ stage, world }: Scene, formerId: string): Promise<void> {
  const { complete, rotations } = historySchema.parse(await stage.keyturn('history', 'grafana'));
  expect('everything was read', complete, true);
  const tokenId = labelled(world, 'grafana', 'AWSCURRENT');
  const last = rotations.find((each) => each.tokenId === tokenId);
  expect('the rotation', [last?.formerId, last?.by], [formerId, 'by hand']);
  const seen = last?.steps.flatMap(({ step, at }) => (at === undefined ? [] : [step]));
  expect('its evidence', seen, ['minted', 'stored', 'proven', 'promoted']);
  const { entries } = historySchema.parse(await stage.keyturn('history', 'invoices'));
  for (const what of ['put on hold', 'frozen', 'string refused', 'permissions given back']) {
    // An order without a name came before.
    const by = entries.findLast((each) => each.what === what)?.by ?? '';
    expect(`by whom it was ${what}: ${by}`, by.includes('@'), true);
  }
}

/** What an operator does, by the command line. */
export async function operate(scene: Scene): Promise<void> {
  const { stage, world, report } = scene;
  const former = labelled(world, 'grafana', 'AWSCURRENT');
  await report.check('keyturn status knows every token', async () => {
    const { tokens } = statusSchema.parse(await stage.keyturn('status'));
    const conditions = tokens.map((each) => `${each.token} ${each.condition} ${each.accepted}`);
    for (const [entry] of ENTRIES) {
      expect(`${entry} in ${conditions}`, conditions.includes(`${entry} works accepted`), true);
    }
  });
  await report.check('keyturn rotate replaces a token by name', async () => {
    const old = labelled(world, 'grafana', 'AWSCURRENT');
    await stage.keyturn('rotate', 'grafana');
    const current = labelled(world, 'grafana', 'AWSCURRENT');
    expect('AWSCURRENT moved', current !== old, true);
    expect(
      'both work',
      [old, current].map((id) => world.works(id, 'write', 'telemetry')),
      [true, true],
    );
  });
  await report.check('keyturn revoke --freeze refuses a string, and unfreeze gives it back', () =>
    freezeAndUnfreeze({ stage, world }),
  );
  await report.check('keyturn history tells who did that, and the evidence of the rotation', () =>
    tellHistory(scene, former),
  );
}

/** What an operator orders takes effect. */
export async function freezeAndUnfreeze({ stage, world }: Omit<Scene, 'report'>): Promise<void> {
  const id = labelled(world, 'invoices', 'AWSCURRENT');
  const reason = ['--reason', 'odd reads', '--yes'];
  await stage.keyturn('revoke', '--token', 'invoices', '--freeze', ...reason);
  expect('it works', world.works(id, 'write', 'billing'), false);
  await stage.keyturn('unfreeze', 'invoices', ...reason);
  expect('it works again', world.works(id, 'write', 'billing'), true);
}

/** Waits until a run writes `field` into the token's description. */
async function waitForMark(world: World, id: string, field: string): Promise<void> {
  await eventually(
    NEXT_RUN_MS,
    () => {
      const token = world.token(id);
      if (!token) throw new Error(`the token was deleted before it was ${field}`);
      return hasMark(token, field);
    },
    () => world.token(id)?.description ?? 'deleted',
  );
}

/** A rotation before it is due. Returns the id of the replaced token. */
export function rotateTelegraf({ stage, world, report }: Scene): Promise<string> {
  return report.step('a forced rotation supersedes a token, which still works', async () => {
    const old = labelled(world, 'telegraf', 'AWSCURRENT');
    await stage.invoke('RotateFunction', { tokens: ['telegraf'], force: true });
    const current = labelled(world, 'telegraf', 'AWSCURRENT');
    expect('AWSCURRENT moved', current !== old, true);
    expect('AWSPREVIOUS', labelled(world, 'telegraf', 'AWSPREVIOUS'), old);
    await waitForMark(world, old, 'superseded');
    expect('the old token works', world.works(old, 'write', 'telemetry'), true);
    world.age(old, 2 * HOUR_MS);
    return old;
  });
}

export const checkFenced = ({ world, report }: Scene, old: string) =>
  report.step("reap's schedule removes AWSPREVIOUS; the old token still works", async () => {
    await waitForMark(world, old, 'fenced');
    expect('AWSPREVIOUS', world.labelled('telegraf', 'AWSPREVIOUS'), undefined);
    expect('it works', world.works(old, 'write', 'telemetry'), true);
  });

/**
 * Waits beside the next steps, since the schedules do not wait for these: on a busy machine the token may be deleted before they end.
 * @returns the step that tells what was seen
 */
export function watchQuarantine({ world, report }: Scene, old: string): () => Promise<void> {
  const watch = async () => {
    await waitForMark(world, old, 'quarantined');
    expect('permissions', world.token(old)?.permissions, []);
    await eventually(10_000, () => !world.works(old, 'write', 'telemetry'));
  };
  const failure = watch().then(
    () => undefined,
    (error: unknown) => error,
  );
  return () =>
    report.step(
      "reap's schedule quarantines the old token: it has no permissions and is refused",
      async () => {
        const error = await failure;
        if (error !== undefined) throw error;
      },
    );
}

export const checkDeleted = ({ world, report }: Scene, old: string) =>
  report.step("reap's schedule deletes the old token", () =>
    eventually(
      NEXT_RUN_MS,
      () => world.token(old) === undefined,
      () => world.token(old)?.description ?? 'deleted',
    ),
  );

export const checkDatabases = ({ world, report }: Scene) =>
  report.check(
    "enforce's schedule corrects one database, creates another, does not change a third",
    () =>
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
  report.check('an expired foreign token is deleted, as the policy says; a live one stays', () =>
    eventually(NEXT_RUN_MS, () => !world.token(expired) && world.token(alive) !== undefined),
  );

/** The schedules apply the second policy's new entry and its added permissions. */
export const checkSecondPolicy = ({ world, report }: Scene) =>
  report.check("rotate's schedule issues the new token and adds the new permissions", () =>
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

/**
 * The README's command revokes a leaked token: a successor is promoted first, and there is no grace
 * period.
 */
export const revokeInvoices = ({ stage, world, report }: Scene) =>
  report.check(
    "the README's aws lambda invoke revokes a leaked token, which is then refused",
    async () => {
      const leaked = labelled(world, 'invoices', 'AWSCURRENT');
      const command = readmeCommand('aws lambda invoke').replace('"telegraf"', '"invoices"');
      const answer = revokedSchema.parse(await stage.shell(command, 'report.json'));
      expect('confirmed', answer.confirmed, true);
      expect('the leaked token', world.token(leaked), undefined);
      expect('it works', world.works(leaked, 'write', 'billing'), false);
      const successor = labelled(world, 'invoices', 'AWSCURRENT');
      expect('its successor works', world.works(successor, 'write', 'billing'), true);
    },
  );

/** Every secret of before has the same versions and labels; there may be more secrets. */
export function expectKept(
  before: ReturnType<World['versions']>,
  after: ReturnType<World['versions']>,
): void {
  for (const [secret, versions] of Object.entries(before)) expect(secret, after[secret], versions);
}

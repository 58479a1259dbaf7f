import { expect, it, vi } from 'vitest';
import { applyCommand } from '../../bin/keyturn/apply.ts';
import type { Terminal } from '../../bin/keyturn/terminal.ts';
import { answeringLambda, type Event, FAILED } from './answering-lambda.ts';
import { endOf, start } from './cli.ts';

const JOBS = ['rotate', 'reap', 'enforce'] as const;
type Job = (typeof JOBS)[number];

const toDo = (...tokens: readonly string[]) =>
  tokens.map((token) => ({ kind: 'rotate', token, reason: 'Due' }));
const planOf = (job: string, actions: readonly object[]) => ({
  plan: { job, actions, findings: [], limits: [], refusals: [] },
});
const reportOf = (job: string, actions: readonly object[]) => ({
  ...planOf(job, actions),
  outcomes: actions.map((action) => ({ action, result: 'done' })),
});
const thrown = { errorType: 'ObserveError', errorMessage: 'the cluster does not answer' };

/** Functions that answer as a test says; `undefined` is an answer that never comes. */
async function functionsOf(answer: (job: Job, event: Event) => object | undefined) {
  const ran: string[] = [];
  const env = await answeringLambda((event, response, url) => {
    const job = JOBS.find((each) => url.includes(`-${each}/`)) ?? 'rotate';
    if (!event.dryRun) ran.push(job);
    const said = answer(job, event);
    if (said === undefined) return;
    if ('errorType' in said) response.writeHead(200, FAILED);
    response.end(JSON.stringify(said));
  });
  return { env, ran };
}

async function run(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  signalled?: Promise<unknown>,
) {
  const child = start(['apply', ...args], env);
  signalled?.then(() => child.kill('SIGINT'));
  return await endOf(child);
}

/** Somebody at a terminal who reads the plan, and then types the word. */
async function confirmed(env: Readonly<Record<string, string>>, whileReading = () => {}) {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const [printed, noted]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    print: (line) => printed.push(line),
    printJson: (value) => printed.push(JSON.stringify(value)),
    clean: (text) => text,
    get hasPrinted() {
      return printed.length > 0;
    },
    isCut: false,
    flushed: async () => {},
    note: (line) => noted.push(line),
    style: (_format, line) => line,
    noteStyle: (_format, line) => line,
    clear: () => {},
    isWatched: false,
    interactive: true,
    ask: () => {
      whileReading();
      return Promise.resolve('prod');
    },
    readHidden: async () => '',
  };
  const failure = await applyCommand(terminal)
    .parseAsync([], { from: 'user' })
    .then(
      () => undefined,
      (error: Error) => error.message,
    );
  vi.unstubAllEnvs();
  return { stdout: printed.join('\n'), stderr: noted.join('\n'), failure };
}

it.each([[[]], [['--json']]])(
  'after Ctrl-C in a later job the reports of the earlier ones are there, and no other is begun: %s',
  async (more) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { env, ran } = await functionsOf((job, { dryRun }) => {
      if (dryRun) return planOf(job, toDo('telegraf'));
      if (job === 'rotate') return reportOf(job, toDo('telegraf'));
      resolve();
      return undefined;
    });
    const { code, stdout, stderr } = await run(env, ['--yes', ...more], promise);
    expect(code).toBe(1);
    expect(ran).toEqual(['rotate', 'reap']);
    expect(stderr).toMatch(/^reap: stopped waiting\. The run goes on in Lambda/m);
    expect(stderr).toMatch(/^enforce: its run was not begun; nothing of it was done$/m);
    expect(stderr).toContain('not everything was done (reap, enforce)');
    if (more.length === 0) expect(stdout).toBe('rotate:\n  done  rotate telegraf\n');
    else
      expect(JSON.parse(stdout)).toMatchObject([
        { job: 'rotate', outcomes: [{ result: 'done' }] },
        { job: 'reap', error: { message: expect.stringContaining('stopped waiting') } },
        { job: 'enforce', error: { message: expect.stringContaining('was not begun') } },
      ]);
  },
);

it('a job that cannot be looked at is named, and stops no other one', async () => {
  const { env, ran } = await functionsOf((job, { dryRun }) => {
    if (job === 'reap') return thrown;
    return dryRun ? planOf(job, toDo('telegraf')) : reportOf(job, toDo('telegraf'));
  });
  const { code, stdout, stderr } = await run(env, ['--yes', '--json']);
  expect(code).toBe(1);
  expect(ran).toEqual(['rotate', 'enforce']);
  expect(stderr).toMatch(/^reap: the cluster does not answer$/m);
  expect(stderr).toContain('not everything was done (reap)');
  expect(JSON.parse(stdout)).toMatchObject([
    { job: 'rotate', plan: { job: 'rotate' } },
    { job: 'reap', error: { kind: 'ObserveError', message: 'the cluster does not answer' } },
    { job: 'enforce', plan: { job: 'enforce' } },
  ]);
});

it('a run that does nothing and fails is neither nothing to do, nor well', async () => {
  const finding = { kind: 'NotOurs', token: 'telegraf', message: 'it is theirs', fails: true };
  const { env, ran } = await functionsOf((job, { dryRun }) => {
    if (job !== 'rotate') return dryRun ? planOf(job, []) : reportOf(job, []);
    const failed = { errorType: 'ApplyError', errorMessage: '1 of 1 action failed: it is theirs' };
    return dryRun ? { plan: { ...planOf(job, []).plan, findings: [finding] } } : failed;
  });
  const planned = await endOf(start(['plan'], env));
  expect([planned.code, planned.stdout]).toEqual([
    1,
    expect.stringMatching(
      /^rotate: nothing to do, and the run fails for 1 entry\n {2}fails: .*theirs/,
    ),
  ]);
  const applied = await run(env, ['--yes']);
  expect(applied.code).toBe(1);
  expect(applied.stderr).toContain('it is theirs');
  expect(ran).toEqual(['rotate']);
});

it.each(['text', '--json', '--markdown'])(
  'keyturn plan names a job that cannot be looked at, shows the plans of the others, and exits 1 (%s)',
  async (format) => {
    const { env } = await functionsOf((job) =>
      job === 'reap' ? thrown : planOf(job, toDo('telegraf')),
    );
    const args = ['plan', ...(format === 'text' ? [] : [format])];
    const { code, stdout, stderr } = await endOf(start(args, env));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^reap: the cluster does not answer$/m);
    if (format === '--json') {
      expect(JSON.parse(stdout)).toMatchObject([
        { job: 'rotate', actions: [{ token: 'telegraf' }] },
        { job: 'reap', error: { kind: 'ObserveError', message: 'the cluster does not answer' } },
        { job: 'enforce' },
      ]);
      return;
    }
    expect(stdout).toContain('telegraf: mint a successor');
    if (format === '--markdown') expect(stdout).toContain('reap: the cluster does not answer');
    expect(stdout).not.toContain('Keyturn has no plan');
  },
);

it('where no job could be looked at, keyturn plan says each reason once', async () => {
  const { env } = await functionsOf((job) => ({
    errorType: job === 'enforce' ? 'Other' : 'ObserveError',
    errorMessage: `${job} is away`,
  }));
  const { code, stdout, stderr } = await endOf(start(['plan'], env));
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('rotate is away');
  expect(stderr).toContain('enforce is away');
  expect(stderr).not.toContain('reap is away');
});

it('an approval does not say of a job that was not seen that its refusal has changed', async () => {
  const { env, ran } = await functionsOf((job) => (job === 'reap' ? thrown : planOf(job, [])));
  const { code, stderr } = await run(env, ['--approve', '0123456789abcdef']);
  expect(code).toBe(1);
  expect(ran).toEqual([]);
  expect(stderr).toContain('reap was not seen: the cluster does not answer; nothing was done');
  expect(stderr).not.toContain('has changed');
});

it('does what was confirmed, also where it has become less', async () => {
  let isRead = false;
  const { env, ran } = await functionsOf((job, { dryRun }) => {
    if (job !== 'rotate') return planOf(job, []);
    const actions = toDo('telegraf', ...(isRead ? [] : ['grafana']));
    return dryRun ? planOf(job, actions) : reportOf(job, actions);
  });
  const { stdout, stderr, failure } = await confirmed(env, () => {
    isRead = true;
  });
  expect(failure).toBeUndefined();
  expect(ran).toEqual(['rotate']);
  expect(stdout).toBe('rotate:\n  done  rotate telegraf');
  expect(stderr).not.toContain('found more');
});

it.each(['an action that is new', 'one that waited for an approval'])(
  'does not run a job whose plan has got more since it was shown: %s',
  async (what) => {
    let isRead = false;
    const waiting = [{ hash: '0123456789abcdef', message: 'too many', actions: [1] }];
    const { env, ran } = await functionsOf((job, { dryRun }) => {
      if (job === 'enforce') return planOf(job, []);
      if (!dryRun) return reportOf(job, toDo('telegraf'));
      if (job === 'reap') return planOf(job, toDo('telegraf'));
      const isNew = what === 'an action that is new';
      const { plan } = planOf(job, toDo('telegraf', ...(isNew && !isRead ? [] : ['grafana'])));
      return { plan: { ...plan, refusals: isRead || isNew ? [] : waiting } };
    });
    const { stdout, stderr, failure } = await confirmed(env, () => {
      isRead = true;
    });
    expect(ran).toEqual(['reap']);
    expect(stderr).toMatch(
      /^rotate: its plan has changed since it was shown, and has now also: grafana: mint a successor.*Nothing of it was done/m,
    );
    expect(stdout).toBe('reap:\n  done  rotate telegraf');
    expect(failure).toContain('not everything was done (rotate)');
  },
);

it('tells what a run did that nobody was shown', async () => {
  const { env } = await functionsOf((job, { dryRun }) => {
    if (job !== 'rotate') return planOf(job, []);
    return dryRun ? planOf(job, toDo('telegraf')) : reportOf(job, toDo('telegraf', 'grafana'));
  });
  const { stderr } = await confirmed(env);
  expect(stderr).toMatch(/^rotate: its run found more than the plan that was shown: grafana: /m);
});

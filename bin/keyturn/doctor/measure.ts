import { existsSync, rmSync, writeFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { formatDuration } from '../../../functions/policy/duration.ts';
import type { Policy } from '../../../functions/policy/policy.ts';
import { messageOf } from '../../../functions/run/message-of.ts';
import { LONGEST_MEASUREMENT_MS } from '../../../functions/time.ts';
import { confirmByTyping } from '../confirm.ts';
import { type Engine, named } from '../engine.ts';
import { CommandError, EXIT, FunctionError, sentenceOf } from '../failure.ts';
import { wrapped } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { InterruptedError } from '../waiting.ts';
import { countOf, formatDiagnosis, summaryOf } from './diagnosis-text.ts';

/** What `rotate` answers to `{"measure": true}`, as far as it is shown; the rest is passed on. */
const answerSchema = z.looseObject({
  database: z.string(),
  tookSeconds: z.number(),
  removed: z.array(z.string()),
  left: z.array(z.string()),
  findings: z.array(
    z.object({
      check: z.string(),
      state: z.enum(['ok', 'warn', 'fail', 'unknown']),
      found: z.string(),
      assumed: z.exactOptional(z.string()),
      advice: z.exactOptional(z.string()),
    }),
  ),
  profile: z.looseObject({ keyturnProfile: z.literal(1) }),
});

type Answer = z.infer<typeof answerSchema>;

export interface MeasureOptions {
  readonly yes?: true;
  readonly json?: true;
  /** Where the profile is written. */
  readonly profile?: string;
}

/** Before what a measurement could not remove, as its error says it, too. */
const LEFT = '; left: ';
const MEASURE = { measure: true };

/** What is true of a measurement for which nobody waits any more: it is none of the runs that a repetition takes up. */
async function endStopped(engine: Engine, terminal: Terminal, cause: unknown): Promise<never> {
  const place = engine.placeOf('rotate');
  if (!engine.stopMeasuring) {
    throw new InterruptedError(
      `stopped waiting. The measurement goes on in Lambda (${place}), for ${formatDuration(LONGEST_MEASUREMENT_MS)} at most, removes what it has made, and its log has what it found; for a quarter of an hour after its beginning another one is refused`,
      { cause },
    );
  }
  terminal.note(
    'removing what the measurement has made; after another Ctrl-C it stays: its tokens expire within 20 minutes, and the next measurement drops its database',
  );
  const became = await engine.stopMeasuring().then(
    (answer) => {
      const { left = [] } = answerSchema.safeParse(answer).data ?? {};
      return `the measurement was over${left.length > 0 ? `${LEFT}${left.join('; ')}` : ''}`;
    },
    (error: unknown) => sentenceOf(error),
  );
  const isLeft = became.includes(LEFT);
  throw new InterruptedError(`stopped: ${became}${isLeft ? '' : '; what it had made is removed'}`, {
    cause,
  });
}

async function ask(engine: Engine, terminal: Terminal): Promise<Answer> {
  const place = engine.placeOf('rotate');
  const isOlder = (error: unknown) =>
    error instanceof FunctionError && error.message.includes('unknown key measure');
  const answer = await engine.call('rotate', MEASURE).catch((error: unknown) => {
    if (error instanceof InterruptedError) return endStopped(engine, terminal, error);
    if (!isOlder(error)) throw error;
    throw new CommandError(
      `${place} is of an older version, which measures nothing: deploy the stack from this checkout, or use --local`,
      { cause: error },
    );
  });
  const { data } = answerSchema.safeParse(answer);
  if (data) return data;
  throw new CommandError(
    `${place} answers, and not with a measurement: deploy the stack from this checkout, or use --local`,
  );
}

/** Known before anything is measured. By writing: nothing else tells whether it can be. */
function refuseUnwritable(profile: string | undefined): void {
  if (profile === undefined) return;
  if (existsSync(profile)) {
    throw new CommandError(
      `found ${profile}, expected a file that is not there yet; nothing was done. Give --profile another name, or remove it`,
    );
  }
  try {
    writeFileSync(profile, '', { flag: 'wx' });
    rmSync(profile);
  } catch (error) {
    throw new CommandError(
      `--profile: found ${messageOf(error)}, expected the name of a file that can be written; nothing was done`,
      { cause: error },
    );
  }
}

/** The groups of a diagnosis, in which the assumption stands behind what was found. */
function groupsOf({ findings, left }: Answer) {
  const checks = findings.map(({ assumed, found, ...rest }) => ({
    ...rest,
    found: assumed === undefined ? found : `${found} (assumed: ${assumed})`,
  }));
  const rest = left.map((each) => ({ check: 'left', state: 'fail' as const, found: each }));
  return [{ title: 'Measured', checks: [...checks, ...rest] }];
}

/**
 * Asks the person, measures the cluster, prints what was found and writes its profile.
 * @throws CommandError if nobody agreed, or nothing could be measured
 */
export async function measure(
  { owner, cluster }: Pick<Policy, 'owner' | 'cluster'>,
  engine: Engine,
  options: MeasureOptions,
  terminal: Terminal,
): Promise<void> {
  const { yes, json, profile } = options;
  refuseUnwritable(profile);
  const { host } = new URL(cluster.url);
  terminal.note(
    `Measure the cluster ${host}, from ${engine.placeOf('rotate')}: for at most ${formatDuration(LONGEST_MEASUREMENT_MS)}, in a database of its own (keyturn-measure-…) that is dropped again, with tokens of its own that are deleted. ` +
      'A few thousand requests are sent, up to some forty in a second. Nothing else is touched.',
  );
  if (!yes) await confirmByTyping(owner, '--yes', terminal, '');
  const answer = await ask(engine, terminal);
  const groups = groupsOf(answer);
  if (answer.removed.length > 0) {
    terminal.note(`removed what an earlier measurement had left: ${named(answer.removed)}`);
  }
  if (json) terminal.printJson(answer);
  else {
    const summary = wrapped(summaryOf(groups), terminal.style, '');
    terminal.print(`${formatDiagnosis(groups, terminal.style)}\n\n${summary}`);
    terminal.note(`took ${formatDuration(answer.tookSeconds * 1_000)}`);
  }
  // After the result is shown: what took ten minutes is not lost with a file.
  if (profile !== undefined) {
    writeFileSync(profile, `${JSON.stringify(answer.profile, null, 2)}\n`, { flag: 'wx' });
    terminal.note(`wrote ${profile}: npm run sandbox -- --profile ${profile}`);
  }
  const [failed, unknown] = [countOf(groups, 'fail'), countOf(groups, 'unknown')];
  process.exitCode = failed > 0 ? EXIT.failed : unknown > 0 ? EXIT.unconfirmed : EXIT.done;
}

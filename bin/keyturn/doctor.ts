import { Command } from 'commander';
import { functionName } from '../../functions/environment.ts';
import { MINUTE_MS } from '../../functions/time.ts';
import { type PolicyFile, PolicyFileError, readDeployedPolicyFile } from '../../lib/policy-file.ts';
import {
  type CommonOptions,
  onePolicyFile,
  openEngine,
  ownManagementToken,
  withCommonOptions,
} from './common-options.ts';
import type { MeasureOptions } from './doctor/measure.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT } from './failure.ts';
import { createLambdaEngine } from './lambda-engine.ts';
import { createLocalEngine } from './local-engine.ts';
import { wrapped } from './table.ts';
import type { Terminal } from './terminal.ts';
import { THIS_MACHINE, whileWaiting } from './waiting.ts';

/** An examination ends within a minute and a half, and a dry run of many tokens takes longer. */
const LONGEST_MS = { look: 3 * MINUTE_MS, order: 3 * MINUTE_MS };

interface DoctorOptions extends CommonOptions, MeasureOptions {
  readonly json?: true;
  readonly measure?: true;
}

async function measureOnly(options: DoctorOptions, terminal: Terminal): Promise<void> {
  const { measure } = await import('./doctor/measure.ts');
  const { policy, engine } = openEngine(options, terminal);
  await measure(policy, engine, options, terminal);
}

function refuseWithoutMeasure({ measure, yes, profile }: DoctorOptions): void {
  if (measure || (!yes && profile === undefined)) return;
  const found = yes ? '--yes' : '--profile';
  throw new CommandError(
    `found ${found} without --measure, expected both or neither; nothing was done`,
  );
}

/** Without the certificates that the policy names this machine cannot look at the cluster; the other looks go on. */
function engineHere(file: PolicyFile, options: DoctorOptions, terminal: Terminal): Engine {
  const { caMistake } = file;
  if (caMistake === undefined || options.local) {
    return createLocalEngine(file, terminal, ownManagementToken(options.managementTokenFile));
  }
  const call = () => Promise.reject(new PolicyFileError(caMistake));
  return { placeOf: () => THIS_MACHINE, call };
}

async function run(options: DoctorOptions, terminal: Terminal): Promise<void> {
  refuseWithoutMeasure(options);
  if (options.measure) return await measureOnly(options, terminal);
  // The clients of five more services: no other command should load them.
  const [{ diagnose }, { countOf, formatDiagnosis, summaryOf }] = await Promise.all([
    import('./doctor/diagnose.ts'),
    import('./doctor/diagnosis-text.ts'),
  ]);
  const file = readDeployedPolicyFile(onePolicyFile(options.policy));
  const here = engineHere(file, options, terminal);
  const functionPrefix = options.functionPrefix ?? functionName(file.policy.owner, '');
  const deployed = options.local
    ? undefined
    : { engine: createLambdaEngine(functionPrefix, {}, LONGEST_MS), functionPrefix };
  const groups = await whileWaiting(terminal, { place: THIS_MACHINE, isLook: true }, () =>
    diagnose({ file, here, ...(deployed && { deployed }) }),
  );
  const [failed, unknown] = [countOf(groups, 'fail'), countOf(groups, 'unknown')];
  if (options.json) {
    terminal.printJson({
      owner: file.policy.owner,
      well: failed + unknown === 0,
      checks: groups.flatMap(({ title, checks }) =>
        checks.map((each) => ({ group: title, ...each })),
      ),
    });
  } else {
    const summary = wrapped(summaryOf(groups), terminal.style, '');
    terminal.print(`${formatDiagnosis(groups, terminal.style)}\n\n${summary}`);
  }
  process.exitCode = failed > 0 ? EXIT.failed : unknown > 0 ? EXIT.unconfirmed : EXIT.done;
}

export const doctorCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('doctor'))
    .summary('look whether everything that Keyturn needs is there and works')
    .description(
      'Look whether everything that Keyturn needs is there and works: credentials, functions and their policy, schedules, the cluster as the functions ' +
        'see it and as this machine does, the management token, alarms and who hears them, network, permissions, quotas. ' +
        'Changes nothing, but with --measure. Each line says what was looked at, what was found, and what to do.',
    )
    .option(
      '--measure',
      'measure instead how the cluster behaves, in a database of its own and with tokens of its own; ten minutes at most; asks first',
    )
    .option(
      '--profile <file>',
      'with --measure: write what a sandbox is set to, to be like the cluster',
    )
    .option('--yes', 'with --measure: do not ask for confirmation; for scripts')
    .addHelpText(
      'after',
      `
Before anything is deployed, --local looks from this machine alone. Else what this machine sees is at most a warning: a private
cluster need not be reachable from here.

Exit code: 0 if everything was looked at and nothing failed (warnings may remain), 1 if anything failed, 3 if nothing failed and
something could not be looked at.

Examples:
  keyturn doctor
  keyturn doctor --json
  keyturn doctor --local          # before the first deployment
  keyturn doctor --measure --profile cluster.json`,
    )
    .action((options: DoctorOptions) => run(options, terminal));

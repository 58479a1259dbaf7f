import { Command } from 'commander';
import { functionName } from '../../functions/environment.ts';
import { MINUTE_MS } from '../../functions/time.ts';
import { readDeployedPolicyFile } from '../../lib/policy-file.ts';
import {
  type CommonOptions,
  onePolicyFile,
  ownManagementToken,
  withCommonOptions,
} from './common-options.ts';
import { EXIT } from './failure.ts';
import { createLambdaEngine } from './lambda-engine.ts';
import { createLocalEngine } from './local-engine.ts';
import type { Terminal } from './terminal.ts';
import { THIS_MACHINE, whileWaiting } from './waiting.ts';

/** An examination ends within a minute and a half, and a dry run of many tokens takes longer. */
const LONGEST_MS = { look: 3 * MINUTE_MS, order: 3 * MINUTE_MS };

async function run(options: CommonOptions, terminal: Terminal): Promise<void> {
  // The clients of five more services: no other command should load them.
  const [{ diagnose }, { countOf, formatDiagnosis, summaryOf }] = await Promise.all([
    import('./doctor/diagnose.ts'),
    import('./doctor/diagnosis-text.ts'),
  ]);
  const file = readDeployedPolicyFile(onePolicyFile(options.policy));
  const here = createLocalEngine(file, terminal, ownManagementToken(options.managementTokenFile));
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
    terminal.print(`${formatDiagnosis(groups, terminal.style)}\n\n${summaryOf(groups)}`);
  }
  process.exitCode = failed > 0 ? EXIT.failed : unknown > 0 ? EXIT.unconfirmed : EXIT.done;
}

export const doctorCommand = (terminal: Terminal): Command =>
  withCommonOptions(new Command('doctor'))
    .summary('look whether everything that Keyturn needs is there and works')
    .description(
      'Look whether everything that Keyturn needs is there and works: credentials, functions and their policy, schedules, the cluster as the functions ' +
        'see it and as this machine does, the management token, alarms and who hears them, network, permissions, quotas. ' +
        'Changes nothing. Each line says what was looked at, what was found, and what to do.',
    )
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
  keyturn doctor --local          # before the first deployment`,
    )
    .action((options: CommonOptions) => run(options, terminal));

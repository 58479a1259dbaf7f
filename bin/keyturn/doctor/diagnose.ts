import type { Check } from '../../../functions/examination/check.ts';
import { wantedAlarms } from '../../../lib/alarm-texts.ts';
import type { PolicyFile } from '../../../lib/policy-file.ts';
import type { Engine } from '../engine.ts';
import { lookAtAlarms } from './alarms.ts';
import { lookAtCredentials } from './credentials.ts';
import { examineHere, examineInLambda, judgePolicy, lookAtDryRuns } from './examination.ts';
import { lookAtFunctions, lookAtQuotas } from './functions.ts';
import { lookAtNetwork } from './network.ts';
import { lookAtPermissions } from './permissions.ts';
import { lookAtSchedules } from './schedules.ts';

/** Checks of one kind. */
export interface Group {
  readonly title: string;
  readonly checks: readonly Check[];
}

export interface Patient {
  readonly file: PolicyFile;
  /** Absent: nothing is deployed yet, and only this machine looks. */
  readonly deployed?: { readonly engine: Engine; readonly functionPrefix: string };
  readonly here: Engine;
}

const WITHOUT_CREDENTIALS = 'AWS could not be asked, see above';
const NOT_ASKED: readonly string[] = [
  'Functions',
  'Schedules',
  'From Lambda',
  'Alarms',
  'Network of the functions',
  'Permissions',
  'Quotas',
];

/** What is deployed, seen through AWS. */
async function lookAtDeployment(
  { engine, functionPrefix }: NonNullable<Patient['deployed']>,
  file: PolicyFile,
  caller: Parameters<typeof lookAtPermissions>[2],
): Promise<readonly Group[]> {
  const { policy, deployment } = file;
  const alarms = deployment.alarms;
  const isDeclared = (alarms?.emails?.length ?? 0) > 0 || alarms?.topic !== undefined;
  const wanted = wantedAlarms(policy, deployment.metrics);
  const functions = lookAtFunctions(functionPrefix);
  const examined = examineInLambda(engine);
  const [seen, schedules, inLambda, told, network, roles, dryRuns, quotas] = await Promise.all([
    functions,
    lookAtSchedules(policy),
    examined,
    lookAtAlarms({ owner: policy.owner, isDeclared, wanted }),
    functions.then(({ deployed }) => lookAtNetwork(deployed)),
    functions.then(({ deployed }) => lookAtPermissions(deployed, policy, caller)),
    lookAtDryRuns(engine),
    lookAtQuotas(),
  ]);
  // What rotate had for an examination counts where its dry run did not come to an end.
  const answers = dryRuns.map(({ answered }) =>
    answered.answer === undefined && answered.job === 'rotate' ? inLambda.answered : answered,
  );
  const theirs: Check = { check: 'their policy', ...judgePolicy(answers, file) };
  return [
    { title: 'Functions', checks: [...seen.checks, theirs] },
    { title: 'Schedules', checks: schedules },
    { title: `From Lambda (${engine.placeOf('rotate')})`, checks: inLambda.checks },
    { title: 'Alarms', checks: told },
    { title: 'Network of the functions', checks: network },
    { title: 'Permissions', checks: [...roles, ...dryRuns.map(({ check }) => check)] },
    { title: 'Quotas', checks: quotas },
  ];
}

/** Looks at everything. Nothing is changed, and what fails hides nothing else. */
export async function diagnose({ file, deployed, here }: Patient): Promise<readonly Group[]> {
  const fromHere = examineHere(here, deployed === undefined);
  const { check, caller, isNobody } = await lookAtCredentials();
  const ofDeployment = async (): Promise<readonly Group[]> => {
    if (!deployed) return [];
    if (!isNobody) return await lookAtDeployment(deployed, file, caller);
    return NOT_ASKED.map((title) => ({
      title,
      checks: [{ check: title, state: 'unknown', found: WITHOUT_CREDENTIALS }],
    }));
  };
  const groups = await ofDeployment();
  return [
    { title: 'AWS', checks: [check] },
    ...groups,
    { title: 'From here (this machine)', checks: await fromHere },
  ];
}

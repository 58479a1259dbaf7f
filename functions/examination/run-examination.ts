import type { LookTools } from '../run/look-tools.ts';
import type { Check } from './check.ts';
import { examineDataPlane } from './examine-data-plane.ts';
import { examineManagementApi } from './examine-management-api.ts';
import { examineManagementToken, examineSecrets } from './examine-secrets.ts';

/** What can be seen from where the functions run. */
export interface Examination {
  readonly checks: readonly Check[];
}

/** Looks at everything that a run needs. It changes nothing, and one check that fails hides no other one. */
export async function runExamination(tools: LookTools): Promise<Examination> {
  const [secrets, managementApi, dataPlane] = await Promise.all([
    examineSecrets(tools),
    examineManagementToken(tools).then(async ({ checks, token }) => [
      ...checks,
      ...(await examineManagementApi(tools, token)),
    ]),
    examineDataPlane(tools),
  ]);
  const checks = [secrets, ...managementApi, dataPlane];
  tools.log.info('examined', { checks });
  return { checks };
}

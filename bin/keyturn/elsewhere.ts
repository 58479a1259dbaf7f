import { namedElsewhere, OF_FILE } from '../../lib/named-elsewhere.ts';
import { type PolicyFile, PolicyFileError } from '../../lib/policy-file.ts';

/**
 * Looks where the file would be deployed, by whoever runs this: what it names in another account or Region `cdk deploy` refuses.
 * @returns why that could not be looked at. Undefined: it was
 * @throws PolicyFileError
 */
export async function refuseElsewhere(policyFile: PolicyFile): Promise<string | undefined> {
  // The client of another service, which few commands need.
  const { lookAtCredentials } = await import('./doctor/credentials.ts');
  const { caller, check } = await lookAtCredentials();
  if (!caller) {
    return `nobody knows which account and Region this is (${check.found}): whether the policy names what is in another one was not looked at`;
  }
  const { region, partition } = caller;
  const mistakes = namedElsewhere(policyFile, {}, caller, {
    ...OF_FILE,
    partitionOf: (each) => (each === region ? partition : OF_FILE.partitionOf(each)),
  });
  if (mistakes.length > 0) throw new PolicyFileError(mistakes.join('\n'));
  return undefined;
}

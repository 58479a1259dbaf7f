import { Annotations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { areTogether } from './places.ts';
import { type PolicyFile, PolicyFileError } from './policy-file.ts';
import { sharedSecrets } from './shared-secrets.ts';

/** A construct `Keyturn`. */
interface Deployment extends Construct {
  readonly policyFile: PolicyFile;
}

/** The file, and the construct that has it. */
const placeIn = ({ policyFile: { file }, node }: Deployment) => `${file} (${node.path})`;

/**
 * Functions, schedules and log groups are named by the owner, and a secret bears the mark of one. Where CDK does not know the place of two
 * stacks, they may have one each; of a secret in both, it warns.
 * @throws PolicyFileError if another deployment in the same account and Region has this owner, or one of these secrets
 */
export function refuseNeighbours(own: Deployment, others: readonly Deployment[]): void {
  const { file, policy } = own.policyFile;
  const { owner } = policy;
  for (const other of others) {
    const isBeside = areTogether(own, other);
    // One whose own policy was refused has none.
    if (isBeside === false || !other.policyFile) continue;
    const isSameOwner = other.policyFile.policy.owner === owner;
    if (isBeside && isSameOwner) {
      throw new PolicyFileError(
        `${file}: owner: found "${owner}", which is also the owner of ${other.node.path}, expected another one: it names the functions and marks the tokens of one cluster; choose one such as ${owner}-2`,
      );
    }
    const shared = isSameOwner
      ? []
      : [...sharedSecrets({ ...policy, file }, other.policyFile.policy, placeIn(other))];
    if (isBeside && shared.length > 0) throw new PolicyFileError(shared.join('\n'));
    for (const sentence of shared) {
      Annotations.of(own).addWarningV2(
        'keyturn:secret',
        `${sentence}; or give the stacks their env, if they go into two places`,
      );
    }
  }
}

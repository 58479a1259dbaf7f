import { Annotations, Stack, Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Policy } from '../functions/policy/policy.ts';
import { isOnePlace, placeOf } from './elsewhere.ts';
import { type PolicyFile, PolicyFileError } from './policy-file.ts';
import { outermost } from './stack-order.ts';

/** A construct `Keyturn`. */
interface Deployment extends Construct {
  readonly policyFile: PolicyFile;
}

/** Whether two constructs go into one account and Region. Undefined: CDK does not know, and it may be. */
export function areTogether(one: Construct, other: Construct): boolean | undefined {
  if (outermost(Stack.of(one)) === outermost(Stack.of(other))) return true;
  const isOne = isOnePlace(placeOf(Stack.of(one)), placeOf(Stack.of(other)));
  // Stages are for several places.
  return isOne === undefined && Stage.of(one) !== Stage.of(other) ? false : isOne;
}

function* sharedSecrets(own: Policy, other: Deployment): Generator<string> {
  const { file, tokens } = other.policyFile.policy;
  const theirs = new Map(tokens.map(({ name, secret }) => [secret, name]));
  for (const { name, secret } of own.tokens) {
    const their = theirs.get(secret);
    if (their === undefined) continue;
    yield `${own.file}: tokens.${name}.secret: found "${secret}", which is also that of "${their}" in ${file} (${other.node.path}), expected another one: a secret belongs to one deployment, whose token is in it; name another, or take the entry out of one of the two`;
  }
}

/**
 * Functions, schedules and log groups are named by the owner, and a secret bears the mark of one. Where CDK does not know the place of two
 * stacks, they may have one each; of a secret in both, it warns.
 * @throws PolicyFileError if another deployment in the same account and Region has this owner, or one of these secrets
 */
export function refuseNeighbours(own: Deployment, others: readonly Deployment[]): void {
  const { policy } = own.policyFile;
  const { file, owner } = policy;
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
    const shared = isSameOwner ? [] : [...sharedSecrets(policy, other)];
    if (isBeside && shared.length > 0) throw new PolicyFileError(shared.join('\n'));
    for (const sentence of shared) {
      Annotations.of(own).addWarningV2(
        'keyturn:secret',
        `${sentence}; or give the stacks their env, if they go into two places`,
      );
    }
  }
}

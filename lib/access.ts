import type { EventPattern } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { KeyturnEvent } from '../functions/events/events.ts';
import type { Policy } from '../functions/policy/policy.ts';
import { suggestionFor } from '../functions/policy/suggestion.ts';

/** @throws Error if the policy has no token of this name */
function secretName({ file, tokens }: Policy, token: string): string {
  const found = tokens.find(({ name }) => name === token);
  if (found) return found.secret;
  const names = tokens.map(({ name }) => name);
  const asked = String(token);
  throw new Error(
    `${file}: tokens: found no "${asked}", expected it to be there for whoever asks for its secret${suggestionFor(asked, names)}`,
  );
}

/** The secret of a token of the policy, of which CDK knows no more than the name. */
export function secretOf(scope: Construct, policy: Policy, token: string): ISecret {
  const name = secretName(policy, token);
  const id = `Secret-${token}`;
  const known = scope.node.tryFindChild(id) as ISecret | undefined;
  return known ?? Secret.fromSecretNameV2(scope, id, name);
}

/** Which events of a deployment; absent: all. */
export interface EventChoice {
  /** About the secret of this token of the policy. */
  readonly token?: string;
  /** @example ['Token Rotated', 'Token Revoked'] */
  readonly types?: readonly KeyturnEvent['type'][];
}

/** The pattern of a rule on the bus that gets the events. */
export const eventPattern = (policy: Policy, { token, types }: EventChoice): EventPattern => ({
  source: ['keyturn'],
  ...(types && { detailType: [...types] }),
  ...(token !== undefined && { detail: { secret: [secretName(policy, token)] } }),
});

/** Gives somebody a statement as it is. */
export const give = (grantee: IGrantable, statement: PolicyStatement): Grant =>
  Grant.addToPrincipal({
    grantee,
    actions: [...statement.actions],
    resourceArns: [...statement.resources],
    conditions: statement.conditions as Record<string, Record<string, unknown>>,
  });

/** One grant for several: the first that was not given, if there is one. CDK's own `combine` is given if any of them is. */
export const together = (grants: readonly [Grant, ...Grant[]]): Grant =>
  grants.find(({ success }) => !success) ?? grants.reduce((all, each) => all.combine(each));

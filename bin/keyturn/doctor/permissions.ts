import { IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { awsCall, awsClient } from '../../../functions/aws-call.ts';
import type { Check, Verdict } from '../../../functions/examination/check.ts';
import { SECRET_SUFFIX } from '../../../functions/policy/aws-names.ts';
import { managementSecret, type Policy, secretPrefix } from '../../../functions/policy/policy.ts';
import { counted } from '../../../functions/run/counted.ts';
import { ENTRIES } from '../../../lib/bundle.ts';
import { SECRET_VERBS } from '../../../lib/secret-verbs.ts';
import type { Caller } from './credentials.ts';
import type { DeployedFunction } from './functions.ts';
import { lookedAt, PATIENCE_MS } from './look.ts';

/** Actions that a role must be allowed on one resource. */
export interface Needed {
  readonly actions: readonly string[];
  readonly resource: string;
}

/** A secret that is not there, with a suffix as Secrets Manager gives it: what is asked is the role, and no secret. */
const SOME_SECRET = 'doctor-AbCdEf';

/** What the role of a function needs in every deployment. Keys and single secrets outside of the prefix are not among it. */
export function neededBy(
  entry: DeployedFunction['entry'],
  { owner, cluster, eventBus = 'default' }: Policy,
  { partition, region, account }: Caller,
): readonly Needed[] {
  const arn = (service: string, rest: string) =>
    `arn:${partition}:${service}:${region}:${account}:${rest}`;
  const named = managementSecret(cluster);
  const reference = named.startsWith('arn:') ? named : arn('secretsmanager', `secret:${named}`);
  const own = entry === 'enforce' ? [] : SECRET_VERBS[entry];
  return [
    {
      actions: ['secretsmanager:GetSecretValue'],
      resource:
        named.startsWith('arn:') && SECRET_SUFFIX.test(reference)
          ? reference
          : `${reference}-AbCdEf`,
    },
    {
      actions: ['events:PutEvents'],
      resource: eventBus.startsWith('arn:') ? eventBus : arn('events', `event-bus/${eventBus}`),
    },
    ...(own.length === 0
      ? []
      : [
          {
            actions: own.map((verb) => `secretsmanager:${verb}`),
            resource: arn('secretsmanager', `secret:${secretPrefix(owner)}${SOME_SECRET}`),
          },
          { actions: ['secretsmanager:ListSecrets'], resource: '*' },
        ]),
  ];
}

/** The fields of SimulatePrincipalPolicy that are looked at. */
export interface Decision {
  readonly EvalActionName?: string | undefined;
  readonly EvalDecision?: string | undefined;
  readonly MissingContextValues?: readonly string[] | undefined;
}

/** @param asked how many actions were asked about: what is not answered is not allowed */
export function judgeDecisions(decisions: readonly Decision[], asked: number): Verdict {
  const denied = decisions.filter(({ EvalDecision }) => EvalDecision !== 'allowed');
  const named = (some: readonly Decision[]) => some.map((each) => each.EvalActionName).join(', ');
  const isUndecided = ({ MissingContextValues = [] }: Decision) => MissingContextValues.length > 0;
  const refused = denied.filter((each) => !isUndecided(each));
  if (refused.length > 0) {
    return {
      state: 'fail',
      found: `IAM does not allow ${named(refused)}`,
      advice:
        'deploy the stack again, and look at the permissions boundary and the policies of your organization',
    };
  }
  if (denied.length > 0) {
    return { state: 'unknown', found: `IAM cannot say without a request: ${named(denied)}` };
  }
  if (decisions.length < asked) {
    return {
      state: 'unknown',
      found: `IAM answered for ${decisions.length} of ${counted(asked, 'action')}`,
    };
  }
  return { state: 'ok', found: `IAM allows ${counted(asked, 'action')}` };
}

/** `arn:aws:iam::111122223333:role/a/path/name` */
const roleName = (arn: string) => arn.split('/').at(-1) ?? arn;

/** Asks IAM what the roles may do; nothing is done. */
export async function lookAtPermissions(
  deployed: readonly DeployedFunction[],
  policy: Policy,
  caller: Caller | undefined,
): Promise<readonly Check[]> {
  const checks = ENTRIES.map(async (entry) => {
    const check = `role of ${entry}`;
    const seen = deployed.find((each) => each.entry === entry);
    if (!seen) return [{ check, state: 'unknown', found: 'its function was not seen' }] as const;
    const { Role } = seen.configuration;
    if (!Role || !caller) {
      return [{ check, state: 'unknown', found: 'it is not known' }] as const;
    }
    const permission = `iam:SimulatePrincipalPolicy on ${roleName(Role)}`;
    return await lookedAt(check, permission, async () => {
      const client = awsClient(IAMClient, { maxAttempts: 3 });
      const needed = neededBy(entry, policy, caller);
      const answers = await Promise.all(
        needed.map(async ({ actions, resource }) => {
          const command = new SimulatePrincipalPolicyCommand({
            PolicySourceArn: Role,
            ActionNames: [...actions],
            ResourceArns: [resource],
          });
          const { EvaluationResults = [] } = await awsCall(
            `SimulatePrincipalPolicy of ${roleName(Role)}`,
            PATIENCE_MS,
            (how) => client.send(command, how),
          );
          return EvaluationResults;
        }),
      );
      const asked = needed.reduce((sum, { actions }) => sum + actions.length, 0);
      return [{ check, ...judgeDecisions(answers.flat(), asked) }];
    });
  });
  return (await Promise.all(checks)).flat();
}

import { Annotations, Aws, type IResource, Stack, Token } from 'aws-cdk-lib';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { Construct } from 'constructs';
import type { ReplicaRegion } from '../functions/policy/policy.ts';
import { closestOf } from '../functions/policy/suggestion.ts';
import { borneBy, isAlias } from './kms-key.ts';
import { type GivenNames, movedTo as moved, namedElsewhere } from './named-elsewhere.ts';
import type { Place } from './places.ts';
import { type PolicyFile, PolicyFileError } from './policy-file.ts';
import type { KeyturnProps } from './properties.ts';
import { referenceOf, tokensInWords } from './references.ts';
import { isStandIn } from './stand-ins.ts';

/** `aws`, `aws-cn`; undefined where the Region is not known, or CDK does not know it. */
export const partitionOf = (region: string | undefined) =>
  region === undefined || Token.isUnresolved(region) ? undefined : RegionInfo.get(region).partition;

/** An ARN; where CDK does not know it yet, it knows the place. */
function named({ env }: IResource, service: string, resource: string, arn?: string): string {
  if (arn !== undefined && !Token.isUnresolved(arn)) return arn;
  const partition = partitionOf(env.region) ?? Aws.PARTITION;
  return ['arn', partition, service, env.region, env.account, resource].join(':');
}

function keyNamed(key: IKey): string {
  const found = borneBy(key);
  return isAlias(found)
    ? named(found, 'kms', found.aliasName)
    : named(found, 'kms', 'key/<id>', found.keyArn);
}

/** As `named`; IAM is in no Region. */
function boundaryNamed({ managedPolicyArn: arn }: IManagedPolicy): string {
  const { target } = referenceOf(arn) ?? {};
  if (!target) return arn;
  const { account, region } = Stack.of(target);
  return `arn:${partitionOf(region) ?? Aws.PARTITION}:iam::${account}:policy/<name>`;
}

export function namesOf(props: KeyturnProps): GivenNames {
  const { encryptionKey, managementTokenKey, alarmTopic, logKey, boundary, vpc, replicaRegions } =
    props;
  return {
    encryptionKey: encryptionKey && keyNamed(encryptionKey),
    managementTokenKey: managementTokenKey && keyNamed(managementTokenKey),
    alarmTopic: alarmTopic && named(alarmTopic, 'sns', '<name>', alarmTopic.topicArn),
    logKey: logKey && keyNamed(logKey),
    boundary: boundary && boundaryNamed(boundary),
    vpc: vpc && named(vpc, 'ec2', 'vpc/<id>', vpc.vpcArn),
    replicaRegions,
  };
}

/** An ARN as it would be in this place; what is no ARN, and what CDK does not know yet, stays as it is. */
export const movedTo = (place: Place, partition: string | undefined, text: string): string =>
  moved(place, partition, text, Token.isUnresolved);

/** Says where a Region's name is almost one that CDK knows: new Regions come, whose names are like those of others, too. */
export function warnOfUnknownRegions(scope: Construct, regions: readonly ReplicaRegion[]): void {
  const known = RegionInfo.regions.map(({ name }) => name);
  for (const { region } of regions) {
    if (Token.isUnresolved(region) || known.includes(region) || isStandIn(scope, region)) continue;
    const meant = closestOf(region, known);
    Annotations.of(scope).addWarningV2(
      `keyturn:replicaRegions-${region}`,
      `replicaRegions: found "${region}", expected a Region that this version of CDK knows${meant ? `; did you mean "${meant}"?` : '.'} If there is such a Region, acknowledge this warning; if not, every run of rotate fails until it is taken out`,
    );
  }
}

/**
 * @param isUnknown of what the app gives
 * @throws PolicyFileError if the policy, or the app in its place, names what is in another place, as far as that is known
 */
export function refuseElsewhere(
  policyFile: PolicyFile,
  given: GivenNames,
  place: Place,
  isUnknown: (value: unknown) => boolean = () => false,
): void {
  const elsewhere = namedElsewhere(policyFile, given, place, {
    partitionOf,
    isUnknown,
    isUnresolved: Token.isUnresolved,
    inWords: tokensInWords,
  });
  if (elsewhere.length > 0) throw new PolicyFileError(elsewhere.join('\n'));
}

import { Annotations, Stack, Token, Validations } from 'aws-cdk-lib';
import {
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  SecurityGroup,
  Subnet,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { PolicyFileError } from './policy-file.ts';
import { isStandIn } from './stand-ins.ts';

export interface NetworkProps {
  /**
   * The VPC in which the functions run, in place of the policy's; absent in both: none.
   * @example Vpc.fromLookup(stack, 'Vpc', { tags: { Name: 'prod' } })
   */
  readonly vpc?: IVpc;
  /**
   * Of that VPC; absent: its private subnets.
   * @example { subnetGroupName: 'keyturn' }
   */
  readonly vpcSubnets?: SubnetSelection;
  /**
   * Of every function; absent: one is made that lets everything out and nothing in.
   * @example [SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0123456789abcdef0')]
   */
  readonly securityGroups?: readonly ISecurityGroup[];
}

/** The network of all functions. */
export interface Network {
  readonly vpc: IVpc;
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups: readonly ISecurityGroup[];
  /** The one that was made, if none was named: whoever guards the cluster must let it in. */
  readonly made?: SecurityGroup;
}

/** CloudFormation's rules refuse ids that stand in, and the CLI looks nothing up then. */
function acceptStandIn(scope: Construct): void {
  for (const rule of ['F3031', 'E1151']) {
    Validations.of(scope).acknowledge({
      id: `CloudFormation-Validate::${rule}`,
      reason: 'Ids that stand in until the VPC is looked up; no such template is deployed.',
    });
  }
}

type Written = NonNullable<Deployment['vpc']>;

/** @throws PolicyFileError if it is not known where to look the VPC up */
function vpcOf(scope: Construct, written: Written, file: string): IVpc {
  if ('id' in written) {
    // CDK wants a zone; the subnets, which are named one by one, have theirs.
    const availabilityZones = ['that-of-the-subnets'];
    return Vpc.fromVpcAttributes(scope, 'Vpc', { vpcId: written.id, availabilityZones });
  }
  const { account, region } = Stack.of(scope);
  if (Token.isUnresolved(account) || Token.isUnresolved(region)) {
    throw new PolicyFileError(
      `${file}: deployment.vpc.tags: found no account and Region for this stack, expected both, because CDK looks the VPC up in them; run cdk with AWS credentials and a Region (AWS_PROFILE, AWS_REGION), give the stack its "env" in an app of your own, or write id and subnets in place of tags`,
    );
  }
  return Vpc.fromLookup(scope, 'Vpc', { tags: written.tags });
}

function subnetsOf(scope: Construct, ids: readonly string[]): ISubnet[] {
  return ids.map((id) => {
    const subnet = Subnet.fromSubnetId(scope, id, id);
    // Nobody here reads its route table.
    Annotations.of(subnet).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');
    return subnet;
  });
}

interface Useless {
  readonly found: string;
  /** Other zones may have others; an app that makes a VPC has the same kinds of subnets in all. */
  readonly isOfZones?: boolean;
}

/** Subnets that Lambda would refuse, or from which the functions reached nothing. Undefined: private ones, or nobody knows. */
function uselessIn(vpc: IVpc, vpcSubnets: SubnetSelection | undefined): Useless | undefined {
  const { privateSubnets, isolatedSubnets } = vpc;
  if (!vpcSubnets && privateSubnets.length + isolatedSubnets.length === 0) {
    return { found: 'public subnets alone, or none' };
  }
  const { subnetType } = vpcSubnets ?? {};
  const types: readonly string[] = Object.values(SubnetType);
  if (subnetType !== undefined && !types.includes(subnetType)) {
    return { found: `subnets of a type "${subnetType}", which CDK does not know` };
  }
  try {
    const { subnetIds, hasPublic } = vpc.selectSubnets(vpcSubnets);
    if (subnetIds.length === 0) return { found: 'a choice of no subnets', isOfZones: true };
    return hasPublic ? { found: 'public subnets' } : undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    return { found: `no such subnets (${why})`, isOfZones: true };
  }
}

/** @throws PolicyFileError if the functions could not run, or reach anything, in these subnets */
function refuseUseless(
  scope: Construct,
  vpc: IVpc,
  vpcSubnets: SubnetSelection | undefined,
  given: NetworkProps,
  file: string,
): void {
  const useless = uselessIn(vpc, vpcSubnets);
  if (useless === undefined) return;
  // One that an app makes has subnets in zones that are looked up.
  if (isStandIn(scope, [vpc.vpcId, ...(useless.isOfZones ? vpc.availabilityZones : [])])) return;
  const property = given.vpcSubnets ? 'vpcSubnets' : given.vpc && 'vpc';
  throw new PolicyFileError(
    `${property ? `Keyturn's property ${property}` : `${file}: deployment.vpc`}: found ${useless.found}, expected private ones, because Lambda gives a function no public address; name some of them, or a VPC that has some, with a NAT gateway or VPC endpoints (docs/deployment.md)`,
  );
}

/** @throws PolicyFileError if the app says where in a VPC, and nobody says in which */
function refuseStray(given: NetworkProps, file: string): void {
  for (const name of ['vpcSubnets', 'securityGroups'] as const) {
    if (given[name] === undefined) continue;
    throw new PolicyFileError(
      `Keyturn's property ${name}: found no VPC beside it, expected one; give the property vpc as well, or write deployment.vpc into ${file}`,
    );
  }
}

/**
 * What the app says, and else the policy file. Undefined: no VPC.
 * @throws PolicyFileError if it is not known where to look the VPC up, or the functions could not run or reach anything there
 */
export function networkOf(
  scope: Construct,
  given: NetworkProps,
  written: Deployment['vpc'],
  file: string,
): Network | undefined {
  const inFile = given.vpc ? undefined : written;
  const vpc = given.vpc ?? (inFile && vpcOf(scope, inFile, file));
  if (!vpc) {
    refuseStray(given, file);
    return undefined;
  }
  if (isStandIn(scope, vpc.vpcId)) acceptStandIn(scope);
  const vpcSubnets =
    given.vpcSubnets ?? (inFile?.subnets && { subnets: subnetsOf(scope, inFile.subnets) });
  refuseUseless(scope, vpc, vpcSubnets, given, file);
  const named =
    given.securityGroups ??
    inFile?.securityGroups?.map((id) => SecurityGroup.fromSecurityGroupId(scope, id, id));
  const made = named
    ? undefined
    : new SecurityGroup(scope, 'SecurityGroup', {
        vpc,
        description: 'Keyturn: lets its functions reach the cluster and AWS, and lets nothing in',
      });
  return {
    vpc,
    ...(vpcSubnets && { vpcSubnets }),
    securityGroups: named ?? (made ? [made] : []),
    ...(made && { made }),
  };
}

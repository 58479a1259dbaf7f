import {
  DescribeRouteTablesCommand,
  DescribeVpcEndpointsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { awsClient } from '../../../functions/aws-call.ts';
import type { Check, Verdict } from '../../../functions/examination/check.ts';
import type { DeployedFunction } from './functions.ts';
import { allPages, lookedAt } from './look.ts';

/** The fields of DescribeVpcEndpoints that are looked at. */
export interface FoundEndpoint {
  readonly VpcEndpointId?: string | undefined;
  readonly ServiceName?: string | undefined;
  readonly State?: string | undefined;
  readonly PrivateDnsEnabled?: boolean | undefined;
}

interface FoundRoute {
  readonly DestinationCidrBlock?: string | undefined;
  readonly State?: string | undefined;
  readonly NatGatewayId?: string | undefined;
  readonly GatewayId?: string | undefined;
  readonly TransitGatewayId?: string | undefined;
  readonly NetworkInterfaceId?: string | undefined;
  readonly VpcPeeringConnectionId?: string | undefined;
}

/** The fields of DescribeRouteTables that are looked at. */
export interface FoundRouteTable {
  readonly Associations?:
    | readonly { readonly SubnetId?: string | undefined; readonly Main?: boolean | undefined }[]
    | undefined;
  readonly Routes?: readonly FoundRoute[] | undefined;
}

export interface FoundNetwork {
  readonly vpc: string;
  readonly subnets: readonly string[];
  readonly endpoints: readonly FoundEndpoint[];
  readonly tables: readonly FoundRouteTable[];
}

/** What the functions call (docs/deployment.md), and what it means that they cannot. */
const SERVICES = [
  { service: 'secretsmanager', without: 'every run fails', state: 'fail' },
  { service: 'events', without: 'events are lost, and an alarm says so', state: 'warn' },
  { service: 'scheduler', without: 'answers say unknown of the schedules', state: 'warn' },
  {
    service: 'kms',
    without: 'secrets that somebody else made under a key of their own wait',
    state: 'warn',
  },
] as const;

/** Where a subnet sends what is for nobody in its VPC. Undefined: nowhere. */
function wayOut(subnet: string, tables: readonly FoundRouteTable[]): FoundRoute | undefined {
  const own = tables.find(({ Associations = [] }) =>
    Associations.some(({ SubnetId }) => SubnetId === subnet),
  );
  const main = tables.find(({ Associations = [] }) => Associations.some(({ Main }) => Main));
  return (own ?? main)?.Routes?.find(
    ({ DestinationCidrBlock, State }) => DestinationCidrBlock === '0.0.0.0/0' && State === 'active',
  );
}

/** Through the subnets' routes; undefined: none leads out of each of them. */
function wayOfAll({ subnets, tables }: FoundNetwork): Verdict | undefined {
  const ways = subnets.map((subnet) => wayOut(subnet, tables));
  const isUseless = (route: FoundRoute | undefined) =>
    route === undefined || route.GatewayId?.startsWith('igw-') === true;
  if (ways.length === 0 || ways.some(isUseless)) return undefined;
  const names = new Set(
    ways.map(
      (way) =>
        way?.NatGatewayId ??
        way?.TransitGatewayId ??
        way?.NetworkInterfaceId ??
        way?.GatewayId ??
        way?.VpcPeeringConnectionId ??
        'a route',
    ),
  );
  const found = `no endpoint; the subnets lead out through ${[...names].join(', ')}`;
  return ways.every((way) => way?.NatGatewayId !== undefined)
    ? { state: 'ok', found }
    : { state: 'unknown', found: `${found}, and where that leads is not looked at` };
}

const isOf = (service: string) => (endpoint: FoundEndpoint) =>
  endpoint.ServiceName?.endsWith(`.${service}`) === true;

function judgeService(
  { service, without, state }: (typeof SERVICES)[number],
  network: FoundNetwork,
): Verdict {
  const endpoints = network.endpoints.filter(isOf(service));
  const useful = endpoints.find(
    ({ State, PrivateDnsEnabled }) =>
      State?.toLowerCase() === 'available' && PrivateDnsEnabled === true,
  );
  if (useful) return { state: 'ok', found: `endpoint ${useful.VpcEndpointId}, with private DNS` };
  const [broken] = endpoints;
  if (broken) {
    const { VpcEndpointId: id, State, PrivateDnsEnabled } = broken;
    return {
      state,
      found: `endpoint ${id} is ${State}${PrivateDnsEnabled ? '' : ', without private DNS'}: ${without}`,
      advice: 'wait until it is available, and switch on its private DNS',
    };
  }
  return (
    wayOfAll(network) ?? {
      state,
      found: `found neither an endpoint nor a way out of every subnet: ${without}`,
      advice: `make the interface endpoint ${service} with private DNS, or a NAT gateway for the subnets`,
    }
  );
}

/** @param network undefined: the functions are in no VPC */
export const judgeNetwork = (network: FoundNetwork | undefined): readonly Check[] =>
  network
    ? SERVICES.map((each) => ({
        check: `${network.vpc}: ${each.service}`,
        ...judgeService(each, network),
      }))
    : [{ check: 'private network', state: 'ok', found: 'the functions are in no VPC' }];

async function endpointsOf(client: EC2Client, vpc: string): Promise<readonly FoundEndpoint[]> {
  const Filters = [{ Name: 'vpc-id', Values: [vpc] }];
  const pages = await allPages('DescribeVpcEndpoints', (next, how) =>
    client.send(new DescribeVpcEndpointsCommand({ Filters, ...next }), how),
  );
  return pages.flatMap(({ VpcEndpoints = [] }) => VpcEndpoints);
}

async function tablesOf(client: EC2Client, vpc: string): Promise<readonly FoundRouteTable[]> {
  const Filters = [{ Name: 'vpc-id', Values: [vpc] }];
  const pages = await allPages('DescribeRouteTables', (next, how) =>
    client.send(new DescribeRouteTablesCommand({ Filters, ...next }), how),
  );
  return pages.flatMap(({ RouteTables = [] }) => RouteTables);
}

/** Looks at the network of the functions, if they have one of their own. */
export async function lookAtNetwork(
  deployed: readonly DeployedFunction[],
): Promise<readonly Check[]> {
  const [first] = deployed;
  if (!first) {
    return [{ check: 'private network', state: 'unknown', found: 'no function was seen' }];
  }
  const { VpcId: vpc, SubnetIds: subnets = [] } = first.configuration.VpcConfig ?? {};
  if (!vpc) return judgeNetwork(undefined);
  return await lookedAt(
    `network ${vpc}`,
    'ec2:DescribeVpcEndpoints and ec2:DescribeRouteTables',
    async () => {
      const client = awsClient(EC2Client, { maxAttempts: 3 });
      const [endpoints, tables] = await Promise.all([
        endpointsOf(client, vpc),
        tablesOf(client, vpc),
      ]);
      return judgeNetwork({ vpc, subnets, endpoints, tables });
    },
  );
}

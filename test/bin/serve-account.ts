import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { FoundAlarm, FoundSubscription } from '../../bin/keyturn/doctor/alarms.ts';
import type { Configuration } from '../../bin/keyturn/doctor/functions.ts';
import type { FoundEndpoint, FoundRouteTable } from '../../bin/keyturn/doctor/network.ts';
import { wantedAlarms } from '../../lib/alarm-texts.ts';
import { readDeployedPolicyFile } from '../../lib/policy-file.ts';
import { JOBS } from '../world/jobs.ts';

/** What stands in an account beside what the sandbox has: a deployment in which all is well, to be spoilt by tests. */
export interface AccountState {
  /** By name. */
  readonly functions: Record<string, Configuration>;
  limit: { ConcurrentExecutions: number; UnreservedConcurrentExecutions: number };
  alarms: FoundAlarm[];
  /** By the ARN of the topic. */
  readonly subscriptions: Record<string, FoundSubscription[]>;
  endpoints: FoundEndpoint[];
  tables: FoundRouteTable[];
  /** Calls that AWS refuses to whoever asks. */
  readonly denied: Set<string>;
  /** Services that take a request and never answer, as requests are signed for them: `monitoring`, `ec2`. */
  readonly silent: Set<string>;
  /** What AWS was asked for: `ec2:DescribeVpcEndpoints`. */
  readonly asked: Set<string>;
  /** Actions that no role is allowed. */
  readonly forbidden: Set<string>;
}

export const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:on-call';
const ACTIONS = { AlarmActions: [TOPIC], ActionsEnabled: true, StateValue: 'OK' };

function wantedIn(file: string) {
  const { policy, deployment } = readDeployedPolicyFile(file);
  return wantedAlarms(policy, deployment.metrics);
}

/** @param file the policy file: the alarms of its stack are there */
export const accountState = (file: string): AccountState => ({
  functions: Object.fromEntries(
    JOBS.map((job) => [
      `keyturn-prod-${job}`,
      {
        State: 'Active',
        LastUpdateStatus: 'Successful',
        Role: `arn:aws:iam::123456789012:role/Keyturn-prod-${job}`,
      },
    ]),
  ),
  limit: { ConcurrentExecutions: 1_000, UnreservedConcurrentExecutions: 900 },
  alarms: [
    ...wantedIn(file).map(({ name, description }) => ({
      AlarmName: name,
      AlarmDescription: description,
      ...ACTIONS,
    })),
    { AlarmName: 'Other', AlarmDescription: 'Keyturn (production): x', StateValue: 'ALARM' },
  ],
  subscriptions: {
    [TOPIC]: [{ SubscriptionArn: `${TOPIC}:1`, Protocol: 'email', Endpoint: 'a@example.com' }],
  },
  endpoints: [],
  tables: [],
  denied: new Set(),
  silent: new Set(),
  asked: new Set(),
  forbidden: new Set(),
});

const lowerFirst = (key: string) => key.replace(/^./, (letter) => letter.toLowerCase());

/** As the query protocols write a value: lists in `item` (EC2) or `member`. */
function xmlOf(value: unknown, how: { readonly list: string; readonly isLower: boolean }): string {
  if (Array.isArray(value)) {
    return value.map((each) => `<${how.list}>${xmlOf(each, how)}</${how.list}>`).join('');
  }
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, each]) => {
      const name = how.isLower ? lowerFirst(key) : key;
      const tag = how.isLower && Array.isArray(each) ? `${name.replace(/s$/, '')}Set` : name;
      return `<${tag}>${xmlOf(each, how)}</${tag}>`;
    })
    .join('');
}

interface Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

const DENIED = 'User: somebody is not authorized to do this';

function ofQuery(state: AccountState, form: URLSearchParams): Said {
  const action = form.get('Action') ?? '';
  const isEc2 = ['DescribeVpcEndpoints', 'DescribeRouteTables'].includes(action);
  const service = isEc2 ? 'ec2' : action === 'SimulatePrincipalPolicy' ? 'iam' : 'sns';
  state.asked.add(`${service}:${action}`);
  const headers = { 'content-type': 'text/xml' };
  if (state.denied.has(action)) {
    const code = isEc2 ? 'UnauthorizedOperation' : 'AccessDenied';
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${DENIED}</Message></Error>`;
    const body = isEc2
      ? `<Response><Errors>${error}</Errors></Response>`
      : `<ErrorResponse>${error}</ErrorResponse>`;
    return { status: 403, headers, body };
  }
  const how = { list: isEc2 ? 'item' : 'member', isLower: isEc2 };
  const wrap = (result: object) => {
    const inside = xmlOf(result, how);
    const body = isEc2 ? inside : `<${action}Result>${inside}</${action}Result>`;
    return { status: 200, headers, body: `<${action}Response>${body}</${action}Response>` };
  };
  switch (action) {
    case 'DescribeVpcEndpoints':
      return wrap({ VpcEndpoints: state.endpoints });
    case 'DescribeRouteTables':
      return wrap({ RouteTables: state.tables });
    case 'ListSubscriptionsByTopic':
      return wrap({ Subscriptions: state.subscriptions[form.get('TopicArn') ?? ''] ?? [] });
    case 'SimulatePrincipalPolicy': {
      const asked = [...form].filter(([key]) => key.startsWith('ActionNames.'));
      const EvaluationResults = asked.map(([, EvalActionName]) => ({
        EvalActionName,
        EvalDecision: state.forbidden.has(EvalActionName) ? 'implicitDeny' : 'allowed',
      }));
      return wrap({ IsTruncated: false, EvaluationResults });
    }
    default:
      return { status: 400, headers, body: '' };
  }
}

function ofCloudWatch(state: AccountState): Said {
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  state.asked.add('cloudwatch:DescribeAlarms');
  return state.denied.has('DescribeAlarms')
    ? { status: 400, headers, body: JSON.stringify({ __type: 'AccessDenied', message: DENIED }) }
    : { status: 200, headers, body: JSON.stringify({ MetricAlarms: state.alarms }) };
}

function ofLambda(state: AccountState, url: string): Said {
  const [, name] = /functions\/([^/]+)\/configuration/.exec(url) ?? [];
  const operation = name === undefined ? 'GetAccountSettings' : 'GetFunctionConfiguration';
  state.asked.add(`lambda:${operation}`);
  if (state.denied.has(operation)) {
    const headers = { 'x-amzn-errortype': 'AccessDeniedException' };
    return { status: 403, headers, body: JSON.stringify({ Message: DENIED }) };
  }
  if (name === undefined) {
    return { status: 200, body: JSON.stringify({ AccountLimit: state.limit }) };
  }
  const found = state.functions[name];
  return found
    ? { status: 200, body: JSON.stringify(found) }
    : {
        status: 404,
        headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
        body: JSON.stringify({ Message: `Function not found: ${name}` }),
      };
}

/**
 * Just so much of Lambda, CloudWatch, SNS, EC2 and IAM as `keyturn doctor` asks; invocations go to the server behind.
 * @returns the environment that finds it
 */
export async function serveAccount(
  state: AccountState,
  lambdaUrl: string,
): Promise<Readonly<Record<string, string>>> {
  const server = createServer(async (request, response) => {
    const { url = '/', method = 'GET', headers } = request;
    const body = await text(request);
    const answer = async (): Promise<Said> => {
      if (method === 'POST' && url.includes('/invocations')) {
        state.asked.add('lambda:InvokeFunction');
        const answered = await fetch(`${lambdaUrl}${url}`, { method, body });
        const failed = answered.headers.get('x-amz-function-error');
        const type = answered.headers.get('x-amzn-errortype');
        return {
          status: answered.status,
          headers: {
            ...(failed && { 'x-amz-function-error': failed }),
            ...(type && { 'x-amzn-errortype': type }),
          },
          body: await answered.text(),
        };
      }
      if (method === 'GET') return ofLambda(state, url);
      if (headers['x-amz-target'] !== undefined) return ofCloudWatch(state);
      return ofQuery(state, new URLSearchParams(body));
    };
    const said = await answer();
    if ([...state.silent].some((service) => headers.authorization?.includes(`/${service}/`)))
      return;
    response.writeHead(said.status, said.headers);
    response.end(said.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const place = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return Object.fromEntries(
    ['LAMBDA', 'CLOUDWATCH', 'SNS', 'EC2', 'IAM'].map((service) => [
      `AWS_ENDPOINT_URL_${service}`,
      place,
    ]),
  );
}

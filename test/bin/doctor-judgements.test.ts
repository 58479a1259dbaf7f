import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { judgeAlarms, judgeTopic } from '../../bin/keyturn/doctor/alarms.ts';
import { formatDiagnosis, summaryOf } from '../../bin/keyturn/doctor/diagnosis-text.ts';
import { judgePolicy } from '../../bin/keyturn/doctor/examination.ts';
import { judgeConcurrency, judgeFunction } from '../../bin/keyturn/doctor/functions.ts';
import { type FoundNetwork, judgeNetwork } from '../../bin/keyturn/doctor/network.ts';
import { judgeDecisions } from '../../bin/keyturn/doctor/permissions.ts';
import { judgeSchedule } from '../../bin/keyturn/doctor/schedules.ts';
import { documentMark } from '../../functions/policy/document-mark.ts';
import { deploymentSchema } from '../../lib/deployment.ts';
import { markOf } from '../../lib/policy-file.ts';
import { policyOf } from '../functions/builders.ts';

const DEPLOYMENT = z.parse(deploymentSchema, {});

test.each([
  ['is there', { State: 'Active', LastUpdateStatus: 'Successful' }, 'ok'],
  ['is idle', { State: 'Inactive', LastUpdateStatus: 'Successful' }, 'ok'],
  ['is being deployed', { State: 'Active', LastUpdateStatus: 'InProgress' }, 'warn'],
  ['failed to deploy', { State: 'Active', LastUpdateStatus: 'Failed' }, 'fail'],
  ['is not ready', { State: 'Pending' }, 'fail'],
  ['is broken', { State: 'Failed', StateReason: 'no subnet' }, 'fail'],
  ['says nothing of itself', {}, 'unknown'],
  ['is not there', undefined, 'fail'],
])('a function that %s', (_how, configuration, state) => {
  expect(judgeFunction(configuration).state).toBe(state);
});

test('a function tells why it is broken', () => {
  expect(judgeFunction({ State: 'Failed', StateReason: 'no subnet' }).found).toBe(
    'it is Failed: no subnet',
  );
});

test.each([
  ['on', false, 'ok'],
  ['off', false, 'fail'],
  ['off', true, 'warn'],
  ['missing', false, 'fail'],
  ['missing', true, 'fail'],
  ['unknown', false, 'unknown'],
  ['unknown', true, 'unknown'],
] as const)('a schedule that is %s, while the policy pauses it: %s', (state, isPaused, wanted) => {
  expect(judgeSchedule({ name: 'x', state }, isPaused).state).toBe(wanted);
});

test('room for runs is not claimed where Lambda does not say it', () => {
  const limit = { ConcurrentExecutions: 1_000, UnreservedConcurrentExecutions: 10 };
  expect(judgeConcurrency(limit).state).toBe('ok');
  expect(judgeConcurrency({ ...limit, UnreservedConcurrentExecutions: 9 }).state).toBe('warn');
  expect(judgeConcurrency({}).state).toBe('unknown');
});

const OWNER = { owner: 'prod', isDeclared: true, wanted: [] };
const alarm = (name: string, more: object = {}) => ({
  AlarmName: name,
  AlarmActions: ['arn:aws:sns:eu-west-1:111122223333:t'],
  ActionsEnabled: true,
  StateValue: 'OK',
  ...more,
});
const statesOf = (checks: readonly { readonly state: string }[]) =>
  checks.map(({ state }) => state);

test('alarms: none, some that tell nobody, some whose actions are switched off, some that ring', () => {
  expect(statesOf(judgeAlarms([], OWNER))).toEqual(['fail']);
  expect(statesOf(judgeAlarms([alarm('a')], OWNER))).toEqual(['ok', 'ok', 'ok']);
  const silent = [alarm('a'), alarm('b', { AlarmActions: [] })];
  expect(judgeAlarms(silent, OWNER)[2]).toMatchObject({
    state: 'fail',
    found: '1 alarm of 2 tell nobody: b',
  });
  // The policy names nobody: it is as its author wants it.
  expect(statesOf(judgeAlarms(silent, { ...OWNER, isDeclared: false }))).toEqual([
    'ok',
    'ok',
    'warn',
  ]);
  const off = [alarm('a', { ActionsEnabled: false })];
  expect(judgeAlarms(off, OWNER)[2]).toMatchObject({
    state: 'fail',
    found: 'no alarm tells anybody',
  });
  const ringing = [alarm('a', { StateValue: 'ALARM' }), alarm('b')];
  expect(judgeAlarms(ringing, OWNER)[1]).toMatchObject({ state: 'warn', found: '1 of 2 ring: a' });
});

test('alarms that the stack makes and that are not there are named', () => {
  const wanted = ['RotateFailed', 'TokenUnusable', 'EventsLost'].map((name, index) => ({
    name,
    description: `says ${name}`,
    isMeasured: index > 0,
  }));
  const found = (...names: readonly string[]) =>
    names.map((name) => alarm(name, { AlarmDescription: `says ${name}` }));
  const judged = (...names: readonly string[]) =>
    judgeAlarms(found(...names), { ...OWNER, wanted })[0];
  expect(judged('RotateFailed', 'TokenUnusable', 'EventsLost')?.state).toBe('ok');
  expect(judged('RotateFailed', 'TokenUnusable')).toMatchObject({
    state: 'fail',
    found: '1 of 3 missing: EventsLost',
  });
  // The properties of the construct may say otherwise than the policy.
  expect(judged('RotateFailed')).toMatchObject({
    state: 'warn',
    found: expect.stringContaining('2 of 3 missing: TokenUnusable, EventsLost'),
  });
});

test('alarms without data are not taken for silent ones', () => {
  const blind = alarm('b', { StateValue: 'INSUFFICIENT_DATA' });
  expect(judgeAlarms([alarm('a'), blind], OWNER)[1]).toMatchObject({
    state: 'warn',
    found: 'none of the others rings; 1 of 2 have no data (INSUFFICIENT_DATA): b',
  });
  const ringing = alarm('c', { StateValue: 'ALARM' });
  expect(judgeAlarms([blind, ringing], OWNER)[1]?.found).toBe(
    '1 of 2 ring: c; 1 of 2 have no data (INSUFFICIENT_DATA): b',
  );
});

test('a topic: nobody, nobody who confirmed, somebody who did not, all', () => {
  const confirmed = { SubscriptionArn: 'arn:aws:sns:x', Endpoint: 'a@example.com' };
  const pending = { SubscriptionArn: 'PendingConfirmation', Endpoint: 'b@example.com' };
  expect(judgeTopic([]).state).toBe('fail');
  expect(judgeTopic([pending])).toMatchObject({
    state: 'fail',
    found: 'not confirmed: b@example.com',
  });
  expect(judgeTopic([confirmed, pending]).state).toBe('warn');
  expect(judgeTopic([confirmed]).state).toBe('ok');
});

test('of an address that left a topic it says how to subscribe it again, and not to confirm what is gone', () => {
  const confirmed = { SubscriptionArn: 'arn:aws:sns:x', Endpoint: 'a@example.com' };
  const pending = { SubscriptionArn: 'PendingConfirmation', Endpoint: 'b@example.com' };
  const gone = { SubscriptionArn: 'Deleted', Endpoint: 'c@example.com', Protocol: 'email' };
  const again =
    /^subscribe c@example\.com again \(aws sns subscribe --topic-arn ARN --protocol email --notification-endpoint c@example\.com\), and follow the link/;
  expect(judgeTopic([gone])).toMatchObject({
    state: 'fail',
    found: 'unsubscribed: c@example.com',
    advice: expect.stringMatching(again),
  });
  expect(judgeTopic([confirmed, gone])).toMatchObject({
    state: 'warn',
    found: '1 confirmed subscription; unsubscribed: c@example.com',
    advice: expect.not.stringContaining('have it sent again'),
  });
  const all = judgeTopic([confirmed, pending, gone]);
  expect(all.found).toBe(
    '1 confirmed subscription; not confirmed: b@example.com; unsubscribed: c@example.com',
  );
  expect(all).toMatchObject({ advice: expect.stringMatching(/sent again.*; subscribe c@/) });
});

const endpoint = (service: string, more: object = {}) => ({
  VpcEndpointId: `vpce-${service}`,
  ServiceName: `com.amazonaws.eu-west-1.${service}`,
  State: 'available',
  PrivateDnsEnabled: true,
  ...more,
});
const table = (subnet: string | undefined, route: object | undefined) => ({
  Associations: [subnet === undefined ? { Main: true } : { SubnetId: subnet }],
  Routes: route ? [{ DestinationCidrBlock: '0.0.0.0/0', State: 'active', ...route }] : [],
});
const network = (more: Partial<FoundNetwork>): FoundNetwork => ({
  vpc: 'vpc-1',
  subnets: ['s-1', 's-2'],
  endpoints: [],
  tables: [],
  ...more,
});
/** Of Secrets Manager, EventBridge, its Scheduler and KMS. */
const seenIn = (more: Partial<FoundNetwork>) => statesOf(judgeNetwork(network(more)));
const NOTHING = ['fail', 'warn', 'warn', 'warn'];

test('functions in no VPC need no endpoint', () => {
  expect(statesOf(judgeNetwork(undefined))).toEqual(['ok']);
});

test.each([
  ['neither endpoints nor routes', {}, NOTHING],
  [
    'endpoints for all',
    { endpoints: ['secretsmanager', 'events', 'scheduler', 'kms'].map((each) => endpoint(each)) },
    ['ok', 'ok', 'ok', 'ok'],
  ],
  [
    'two endpoints',
    { endpoints: [endpoint('secretsmanager'), endpoint('events')] },
    ['ok', 'ok', 'warn', 'warn'],
  ],
  ['an endpoint of another service', { endpoints: [endpoint('kms-fips')] }, NOTHING],
  [
    'an endpoint without private DNS',
    { endpoints: [endpoint('secretsmanager', { PrivateDnsEnabled: false })] },
    NOTHING,
  ],
  [
    'an endpoint that waits for acceptance',
    { endpoints: [endpoint('secretsmanager', { State: 'pendingAcceptance' })] },
    NOTHING,
  ],
  [
    'a NAT gateway for all',
    { tables: [table(undefined, { NatGatewayId: 'nat-1' })] },
    ['ok', 'ok', 'ok', 'ok'],
  ],
  [
    'a NAT gateway for one subnet of two',
    { tables: [table('s-1', { NatGatewayId: 'nat-1' })] },
    NOTHING,
  ],
  [
    'a subnet whose own table has no way out, beside a main one that has',
    { tables: [table(undefined, { NatGatewayId: 'nat-1' }), table('s-2', undefined)] },
    NOTHING,
  ],
  ['public subnets', { tables: [table(undefined, { GatewayId: 'igw-1' })] }, NOTHING],
  [
    'a NAT gateway that is gone',
    { tables: [table(undefined, { NatGatewayId: 'nat-1', State: 'blackhole' })] },
    NOTHING,
  ],
  [
    'a way to somewhere else',
    { tables: [table(undefined, { TransitGatewayId: 'tgw-1' })] },
    ['unknown', 'unknown', 'unknown', 'unknown'],
  ],
])('a VPC with %s', (_what, more, states) => {
  expect(seenIn(more)).toEqual(states);
});

test('IAM: what it denies, what it cannot know, and what it did not answer', () => {
  const said = (EvalActionName: string, EvalDecision: string, more: object = {}) => ({
    EvalActionName,
    EvalDecision,
    ...more,
  });
  expect(judgeDecisions([said('a', 'allowed')], 1).state).toBe('ok');
  expect(judgeDecisions([said('a', 'allowed'), said('b', 'explicitDeny')], 2)).toMatchObject({
    state: 'fail',
    found: 'IAM does not allow b',
  });
  const undecided = said('b', 'implicitDeny', { MissingContextValues: ['aws:TagKeys'] });
  expect(judgeDecisions([said('a', 'allowed'), undecided], 2).state).toBe('unknown');
  expect(judgeDecisions([said('a', 'allowed')], 2).state).toBe('unknown');
});

test('a function that does not say which policy it has is not taken for one that has the file’s', () => {
  const document = { owner: 'prod' };
  const file = { document, policy: policyOf(), deployment: DEPLOYMENT };
  const [same, other] = [document, { owner: 'test' }].map((each) => ({
    policy: documentMark(each),
  }));
  const judged = (rotate?: object, reap?: object) =>
    judgePolicy(
      [
        { job: 'rotate', answer: rotate },
        { job: 'reap', answer: reap },
      ],
      file,
    );
  expect(judged(same, same)).toMatchObject({
    state: 'ok',
    found: expect.stringMatching(/: rotate, reap; the other functions/),
  });
  expect(judged(same, other)).toMatchObject({
    state: 'warn',
    found: expect.stringContaining('reap (they differ in owner)'),
  });
  expect(judged(other, undefined).found).toMatch(
    /rotate \(they differ in owner\); not known of reap/,
  );
  const unsaid = { state: 'unknown', found: 'not known of reap, which did not say' };
  expect(judged(same, {})).toEqual(unsaid);
  expect(judged(same, undefined)).toEqual(unsaid);
});

test('a function has another policy where the file that cluster.ca names has other certificates, or it is too old to say', () => {
  const document = { cluster: { ca: 'authority.pem' } };
  const found = (mark: object) =>
    judgePolicy([{ job: 'rotate', answer: { policy: mark } }], {
      document,
      ca: 'new',
      deployment: DEPLOYMENT,
      policy: policyOf(),
    }).found;
  expect(found(documentMark(document, 'new'))).toMatch(/^that of /);
  for (const other of [documentMark(document, 'old'), documentMark(document)]) {
    expect(found(other)).toContain('rotate (they differ in cluster.ca)');
  }
});

test('what only the deployment needs is compared where the function was told of it', () => {
  const document = { owner: 'prod' };
  const file = { document, policy: policyOf(), deployment: { ...DEPLOYMENT, dashboard: false } };
  const found = (mark: object) => judgePolicy([{ job: 'rotate', answer: { policy: mark } }], file);
  expect(found(markOf(file)).state).toBe('ok');
  expect(found(documentMark(document)).state).toBe('ok');
  expect(found(markOf({ document, deployment: DEPLOYMENT })).found).toContain(
    'rotate (they differ in deployment.dashboard)',
  );
});

test('long texts are wrapped beside their marks, and control characters are none', () => {
  const groups = [
    {
      title: 'Group',
      checks: [
        { check: 'one', state: 'ok', found: 'x '.repeat(90) },
        { check: 'two', state: 'fail', found: `a\u001b[2Jb`, advice: 'y'.repeat(100) },
      ],
    },
  ] as const;
  const text = formatDiagnosis(groups, (_format, shown) => shown);
  const lines = text.split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([`         ${'y'.repeat(100)}`]);
  expect(text).toContain('FAILED   two: a [2Jb');
  expect(lines.slice(1).every((line) => /^(?:ok {7}|FAILED {3}| {9})\S/.test(line))).toBe(true);
  expect(summaryOf(groups)).toBe('2 checks: 1 ok, 0 warnings, 1 failed, 0 unknown');
});

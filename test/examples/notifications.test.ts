import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { PublishedEvent } from '../../sandbox/aws/state.ts';
import { openWorld } from '../world/open-world.ts';
import { policyWith, TELEGRAF, writer } from '../world/policy.ts';
import { readYaml } from './read-file.ts';

const { Resources } = readYaml('notifications/template.yaml')[0];

/** docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html: all that the channel shows. */
const notification = z.strictObject({
  version: z.literal('1.0'),
  source: z.literal('custom'),
  id: z.string(),
  content: z.strictObject({
    textType: z.literal('client-markdown'),
    title: z.string().max(250),
    description: z.string().min(1).max(8_000),
    nextSteps: z.optional(z.array(z.string())),
  }),
  metadata: z.strictObject({ threadId: z.string(), summary: z.string(), eventType: z.string() }),
});

/** `$.a.b` of an event. @throws where it has no such field: EventBridge would leave a hole in the message */
function at(event: object, path: string): string {
  const found = path
    .split('.')
    .slice(1)
    .reduce<unknown>((value, key) => Reflect.get(Object(value), key), event);
  return z.string().parse(found);
}

/** As EventBridge fills a template in: bare, a string gets its quotation marks; inside of a string, it is put as it is. */
function transformed(rule: string, event: object): unknown {
  const { InputPathsMap, InputTemplate } = Resources[rule].Properties.Targets[0].InputTransformer;
  return Object.entries<string>(InputPathsMap).reduce(
    (text, [name, path]) =>
      text
        .replaceAll(` <${name}>,`, ` ${JSON.stringify(at(event, path))},`)
        .replaceAll(`<${name}>`, at(event, path)),
    InputTemplate as string,
  );
}

const asEvent = ({ id, source, detailType, detail }: PublishedEvent) => ({
  id,
  source,
  'detail-type': detailType,
  detail,
});

let events: readonly ReturnType<typeof asEvent>[];
beforeAll(async () => {
  const world = await openWorld(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.rotate({ tokens: ['telegraf'], force: true });
  const reason = 'in a "public"\nrepository';
  await world.revoke({ token: 'telegraf', way: 'replace', reason });
  events = world.aws.state.events.map(asEvent);
  await world.close();
});

/** Its parameters. */
const OWNER: Readonly<Record<string, string>> = { Owner: 'prod' };

const matching = (rule: string) => {
  const { EventPattern } = Resources[rule].Properties;
  return events.filter(
    (event) =>
      EventPattern.source.includes(event.source) &&
      EventPattern['detail-type'].includes(event['detail-type']) &&
      EventPattern.detail.owner.some((ref: string) => OWNER[ref] === at(event, '$.detail.owner')),
  );
};

test('of two deployments in one account, each tells of its own alone', () => {
  for (const rule of ['Rotated', 'Revoked']) {
    expect(Resources[rule].Properties.EventPattern.detail).toEqual({ owner: ['Owner'] });
  }
});

describe.each([
  ['Rotated', 'Token Rotated'],
  ['Revoked', 'Token Revoked'],
])('the rule %s', (rule, type) => {
  test('takes such events of a real run, and no others', () => {
    const types = matching(rule).map((event) => event['detail-type']);
    expect(new Set(types)).toEqual(new Set([type]));
  });

  test('makes a message that the channel shows, whatever people wrote', () => {
    for (const event of matching(rule)) {
      const message = notification.parse(JSON.parse(String(transformed(rule, event))));
      expect(message).toMatchObject({ id: event.id, metadata: { eventType: type } });
    }
  });
});

test('a rotation is told by the names of token and secret, in one thread for each secret', () => {
  const [, , last] = matching('Rotated');
  expect(JSON.parse(String(transformed('Rotated', last ?? {})))).toMatchObject({
    content: {
      title: 'Rotated: telegraf',
      description: expect.stringContaining(`\`${TELEGRAF}\` has a new token`),
    },
    metadata: { threadId: `keyturn ${TELEGRAF}` },
  });
});

test('alarms reach the channel and the mailbox, hints the channel alone', () => {
  expect(Resources.Channel.Properties.SnsTopicArns).toEqual(['Alarms', 'Hints']);
  expect(Resources.Alarms.Properties.Subscription).toMatchObject([{ Protocol: 'email' }]);
  expect(Resources.Hints.Properties).toBeUndefined();
  for (const rule of ['Rotated', 'Revoked']) {
    expect(Resources[rule].Properties.Targets).toMatchObject([{ Arn: 'Hints' }]);
  }
});

test('only the two rules publish hints, and nobody is asked to administrate by the channel', () => {
  const { PolicyDocument } = Resources.HintsPolicy.Properties;
  expect(PolicyDocument.Statement).toEqual([
    {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: 'Hints',
      Condition: { ArnEquals: { 'aws:SourceArn': ['Rotated.Arn', 'Revoked.Arn'] } },
    },
  ]);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own
  const readOnly = ['arn:${AWS::Partition}:iam::aws:policy/CloudWatchReadOnlyAccess'];
  expect(Resources.Channel.Properties.GuardrailPolicies).toEqual(readOnly);
  expect(Resources.ChannelRole.Properties).toMatchObject({ ManagedPolicyArns: readOnly });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRevokeRequest } from '../../../functions/revocation/request.ts';
import { parseRotationStep } from '../../../functions/rotation/take-rotation-step.ts';
import {
  parseEnforceRequest,
  parseReapRequest,
  parseRotateRequest,
} from '../../../functions/run/request.ts';
import { openWorld } from '../../world/open-world.ts';
import { policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

const STRING = `apiv1_${'s3cret+/'.repeat(10)}abcdef==`;
const WRITTEN = [
  STRING,
  encodeURIComponent(STRING),
  `the token ${STRING} leaked`,
  'M.V1.s3cretAndMore==',
  encodeURIComponent('M.V1.s3cret+More=='),
];

const parsers = {
  rotate: parseRotateRequest,
  reap: parseReapRequest,
  enforce: parseEnforceRequest,
  revoke: parseRevokeRequest,
  'secrets-manager-rotation': parseRotationStep,
};
/** Every field that any function's event has, and none. */
const FIELDS = [
  ...['token', 'tokenId', 'secret', 'database', 'fingerprint', 'reason', 'confirm', 'way', 'all'],
  ...['approve', 'confirmAdoption', 'Step', 'SecretId', 'ClientRequestToken', 'colour'],
];

test.each(Object.entries(parsers))('%s takes a credential in no field of its event', (_, parse) => {
  for (const text of WRITTEN) {
    const events = [
      ...FIELDS.map((field) => ({ [field]: text })),
      { tokens: ['telegraf', text] },
      { scheduled: { at: text } },
      { [text]: true },
      text,
    ];
    for (const event of events) {
      let message = '';
      expect(() => {
        try {
          parse(event);
        } catch (error) {
          message = String(error);
          throw error;
        }
      }).toThrow(/found a token string.*keyturn revoke --leaked/);
      expect(message).not.toMatch(/s3cret/);
    }
  }
});

test('says in which field', () => {
  expect(() => parseRotateRequest({ tokens: ['a', STRING] })).toThrow(/^tokens\.1: found a token/);
  expect(() => parseRevokeRequest({ [STRING]: true })).toThrow(/^\[token\]: found a token/);
});

let world: World;
beforeAll(async () => {
  world = await openWorld(policyWith({ telegraf: writer }));
  await world.rotate();
});
afterAll(() => world.close());

test('a credential in an event is neither logged, nor published, nor sent, nor answered', async () => {
  const before = world.tokens();
  for (const field of ['token', 'tokenId', 'secret', 'database', 'reason', 'confirm']) {
    const event = { token: 'telegraf', reason: 'leaked', [field]: STRING };
    const { error } = await world.revoke(event);
    expect(error?.errorType).toBe('RequestError');
    expect(JSON.stringify(error)).not.toMatch(/s3cret/);
  }
  expect(JSON.stringify([world.lines(), world.events()])).not.toMatch(/s3cret/);
  expect(world.tokens()).toEqual(before);
});

test('a string that somebody wrote into a description is in no answer, log or event', async () => {
  const permissions = [{ action: 'read', resource: 'telemetry' }];
  const description = `for grafana, ${STRING}`;
  const { id } = await world.people.mint({ description, permissions });
  const whois = await world.revoke({ way: 'whois', tokenId: id });
  expect(whois.result?.plan.tokens).toMatchObject([{ description: 'for grafana, [token]' }]);
  const deleted = await world.revoke({ way: 'delete', tokenId: id, reason: 'leaked' });
  const said = JSON.stringify([whois, deleted, world.lines(), world.events()]);
  expect(said).toContain(id);
  expect(said).not.toMatch(/s3cret/);
});

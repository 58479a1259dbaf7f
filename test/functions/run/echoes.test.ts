import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '../../../sandbox/interception.ts';
import { openWorld } from '../../world/open-world.ts';
import { policyWith, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** Of no form that anybody could know. */
const MANAGEMENT = 'Zk3+mQ/9vT-xL_4pW7rB2nY8dH6sF1jC5gK0==';
const TOKEN = /Zk3\+mQ|9vT-xL|W7rB2n|F1jC5g/;

let world: World;
beforeAll(async () => {
  world = await openWorld(policyWith({ telegraf: writer, grafana: writer }), {
    managementToken: MANAGEMENT,
  });
});
afterAll(() => world.close());

const base64 = (text: string) => Buffer.from(text).toString('base64');
const html = (text: string) => text.replace(/[^A-Za-z0-9 ]/g, (each) => `&#${each.charCodeAt(0)};`);

test.each<[string, (header: string) => string]>([
  ['as it is', (header) => header],
  ['as HTML', html],
  ['in base64', base64],
  ['in hexadecimal digits', (header) => Buffer.from(header).toString('hex')],
  ['percent-encoded', encodeURIComponent],
  ['without its end', (header) => header.slice(0, -6)],
])(
  'a cluster that repeats the management token %s makes nobody else repeat it',
  async (_how, write) => {
    const echo = ({ authorization = '' }: Call) => ({
      status: 400,
      body: JSON.stringify({ code: 400, message: `bad header, ${write(authorization)}` }),
    });
    world.intercept(async (call, effect) =>
      call.server === 'management-api' && call.operation !== 'GET /tokens' ? echo(call) : effect(),
    );
    const { error } = await world.rotate();
    world.intercept();
    expect(error?.errorMessage).toMatch(/bad header.*\[token\]/s);
    expect(JSON.stringify([error, world.lines(), world.events()])).not.toMatch(TOKEN);
  },
);

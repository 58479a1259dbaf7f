import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, test } from 'vitest';
import { Keyturn } from '../../lib/keyturn.ts';
import { CONTEXT, POLICY, writePolicy } from './synthesize.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyturn-neighbours-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('two deployments of one owner', () => {
  const PLACE = { account: '111122223333', region: 'eu-west-1' };
  const two = (first?: object, second?: object) => () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const policy = writePolicy(folder);
    const stacks = [first, second].map(
      (env, index) => new Stack(app, `Stack${index}`, { ...(env && { env }) }),
    );
    new Keyturn(stacks[0] as Stack, 'First', { policy });
    new Keyturn((second ? stacks[1] : stacks[0]) as Stack, 'Second', { policy });
  };

  test.each([
    ['in one stack', two()],
    ['in one account and Region', two(PLACE, PLACE)],
  ])('%s are refused by name', (_where, make) => {
    expect(make).toThrow(
      /^\/.*\/keyturn\.yaml: owner: found "prod", which is also the owner of Stack0\/First, expected another one: .*; choose one such as prod-2$/,
    );
  });

  test('but not in another Region, nor where nobody knows the place', () => {
    expect(two(PLACE, { ...PLACE, region: 'us-east-1' })).not.toThrow();
    expect(two({}, {})).not.toThrow();
  });
});

describe('two deployments whose policies name one secret', () => {
  const PLACE = { account: '111122223333', region: 'eu-west-1' };
  const two = (first?: object, second?: object, isStaged = false) => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const scopeOf = (id: string) => (isStaged ? new Stage(app, `Stage-${id}`) : app);
    const stacks = [first, second].map(
      (env, index) => new Stack(scopeOf(`${index}`), `Stack${index}`, { ...(env && { env }) }),
    );
    const other = POLICY.replace('prod', 'other').replace('  grafana:', '  dashboards:');
    new Keyturn(stacks[0] as Stack, 'First', { policy: writePolicy(folder, POLICY, 'prod.yaml') });
    new Keyturn(stacks[1] as Stack, 'Second', { policy: writePolicy(folder, other, 'other.yaml') });
    return JSON.stringify(
      Annotations.fromStack(stacks[1] as Stack).findWarning(
        '*',
        Match.stringLikeRegexp('keyturn:secret'),
      ),
    );
  };

  test('are refused by the names of both entries', () => {
    expect(() => two(PLACE, PLACE)).toThrow(
      /^\/.*\/other\.yaml: tokens\.dashboards\.secret: found "monitoring\/grafana", which is also that of "grafana" in \/.*\/prod\.yaml \(Stack0\/First\), expected another one: .*; name another, or take the entry out of one of the two$/,
    );
  });

  test('are warned of where nobody knows the places of their stacks, and not where these are two', () => {
    expect(two()).toMatch(
      /other\.yaml: tokens\.dashboards\.secret: found .*give the stacks their env/,
    );
    expect(two(undefined, PLACE)).toMatch(/give the stacks their env/);
    expect(two(PLACE, { ...PLACE, region: 'us-east-1' })).toBe('[]');
    expect(two({ account: '999922223333' }, PLACE)).toBe('[]');
    expect(two(undefined, undefined, true)).toBe('[]');
  });
});
test('two deployments of one stack and those nested in it have different owners and secrets', () => {
  const two = (text: string, make: (stack: Stack) => readonly [Stack, Stack]) => {
    const [one, other] = make(new Stack(new App({ context: CONTEXT }), 'Home'));
    const deploy = (stack: Stack, all: string, file: string) =>
      new Keyturn(stack, 'Keyturn', { policy: writePolicy(folder, all, file) });
    deploy(one, POLICY, 'keyturn.yaml');
    return () => deploy(other, text, 'other.yaml');
  };
  const places: readonly ((stack: Stack) => readonly [Stack, Stack])[] = [
    (stack) => [stack, new NestedStack(stack, 'Inside')],
    (stack) => [new NestedStack(stack, 'One'), new NestedStack(stack, 'Other')],
  ];
  for (const make of places) {
    expect(two(POLICY, make)).toThrow('owner: found "prod", which is also the owner of');
    expect(two(POLICY.replace('owner: prod', 'owner: test'), make)).toThrow(
      'tokens.grafana.secret: found "monitoring/grafana", which is also that of "grafana" in',
    );
  }
});

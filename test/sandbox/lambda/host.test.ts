import { describe, expect, it } from 'vitest';
import { realClock } from '../../../sandbox/clock.ts';
import { functionOf, serve, startHost } from './fixtures.ts';

const echo = 'export const handler = async (event, context) => ({ event, context });';

describe('a Lambda host', () => {
  it('passes the event and the context, and keeps the process warm', async () => {
    const { host } = startHost([functionOf('echo', echo)]);
    const first = await host.invoke('echo', { a: [1, undefined], b: undefined });
    const second = await host.invoke('echo', {});
    expect(first).toMatchObject({
      result: {
        event: { a: [1, null] },
        context: {
          functionName: 'echo',
          awsRequestId: '00000000-0000-4000-8000-000000000001',
          invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:echo',
          memoryLimitInMB: '256',
        },
      },
    });
    expect(second).toMatchObject({ result: { event: {} } });
    expect(host.instances.map(({ id, state }) => [id, state])).toEqual([['echo-1', 'warm']]);
  });

  it('starts another process for a second invocation at the same time', async () => {
    const { host } = startHost([
      functionOf('count', 'let n = 0; export const handler = async () => ++n;'),
    ]);
    const both = await Promise.all([host.invoke('count', {}), host.invoke('count', {})]);
    expect(both).toEqual([{ result: 1 }, { result: 1 }]);
    expect(host.instances.map(({ id }) => id)).toEqual(['count-1', 'count-2']);
    expect(await host.invoke('count', {})).toEqual({ result: 2 });
  });

  it('answers what a handler throws in the words of Lambda', async () => {
    const { host } = startHost([
      functionOf('thrower', "export const handler = async () => { throw new TypeError('no'); };"),
      functionOf('broken', "throw new Error('at load');"),
      functionOf('missing', echo, { handler: 'index.nothing' }),
    ]);
    expect(await host.invoke('thrower', {})).toMatchObject({
      error: { errorType: 'TypeError', errorMessage: 'no', trace: { 0: 'TypeError: no' } },
    });
    expect(await host.invoke('broken', {})).toMatchObject({ error: { errorMessage: 'at load' } });
    expect(await host.invoke('missing', {})).toMatchObject({
      error: { errorType: 'Runtime.HandlerNotFound' },
    });
    await expect(host.invoke('nobody', {})).rejects.toThrow('there are: thrower, broken, missing');
  });

  it('answers an exit error when the process is killed, and starts a new one next time', async () => {
    const { host } = startHost([
      functionOf('hang', 'export const handler = (e) => e.hang ? new Promise(() => {}) : 1;'),
    ]);
    const answer = host.invoke('hang', { hang: true });
    await host.kill('hang-1');
    expect(await answer).toMatchObject({
      error: {
        errorType: 'Runtime.ExitError',
        errorMessage: expect.stringContaining('Runtime exited with error: signal: killed'),
      },
    });
    expect(await host.invoke('hang', {})).toEqual({ result: 1 });
    expect(host.instances.map(({ id, state }) => [id, state])).toEqual([
      ['hang-1', 'ended'],
      ['hang-2', 'warm'],
    ]);
  });

  it('ends the process when the caller gives up', async () => {
    const { host } = startHost([
      functionOf('hang', 'export const handler = () => new Promise(() => {});'),
    ]);
    const controller = new AbortController();
    const answer = host.invoke('hang', {}, { signal: controller.signal });
    controller.abort();
    expect(await answer).toMatchObject({ error: { errorType: 'Runtime.ExitError' } });
  });

  it('gives the process nothing of its own environment but PATH', async () => {
    const one = functionOf('env', 'export const handler = async () => process.env;', {
      environment: { FROM_TEMPLATE: 'template', OVERRIDDEN: 'template' },
    });
    const { host } = startHost([one], { environment: { OVERRIDDEN: 'host' } });
    const answer = await host.invoke('env', {});
    const environment = 'result' in answer ? (answer.result as Record<string, string>) : {};
    expect(environment).toMatchObject({ FROM_TEMPLATE: 'template', OVERRIDDEN: 'host' });
    expect(Object.keys(environment).filter((name) => !/^(AWS_LAMBDA_|LAMBDA_)/.test(name))).toEqual(
      expect.arrayContaining(['PATH']),
    );
    const inherited = Object.keys(process.env).filter((name) => name in environment);
    expect(inherited.filter((name) => !['PATH', 'LANG', 'TZ'].includes(name))).toEqual([]);
  });

  it('keeps every line of an invocation by the time it answers, of both streams', async () => {
    const { host } = startHost([
      functionOf(
        'talk',
        `export const handler = async () => {
          for (let i = 0; i < 2_000; i++) console.log('line', i);
          console.error('oh');
          process.stdout.write('unfinished');
        };`,
      ),
    ]);
    await host.invoke('talk', {});
    expect(host.logs.filter(({ stream }) => stream === 'stdout')).toHaveLength(2_001);
    expect(host.logs).toContainEqual({
      instanceId: 'talk-1',
      stream: 'stdout',
      text: 'unfinished',
    });
    expect(host.logs).toContainEqual({ instanceId: 'talk-1', stream: 'stderr', text: 'oh' });
  });

  it('replaces the policy in its own copy of the asset', async () => {
    const source = `import { readFileSync } from 'node:fs';
      export const handler = async () =>
        JSON.parse(readFileSync(process.env.LAMBDA_TASK_ROOT + '/policy.json', 'utf8'));`;
    const one = functionOf('policy', source);
    const replaced = startHost([one], { policyAsset: '{"from":"test"}' });
    const kept = startHost([one]);
    expect(await replaced.host.invoke('policy', {})).toEqual({ result: { from: 'test' } });
    expect(await kept.host.invoke('policy', {})).toEqual({ result: { from: 'asset' } });
  });

  it('runs modules of either kind', async () => {
    const { host } = startHost([
      functionOf('esm', 'export const handler = async () => import.meta.url;', {}, 'index.mjs'),
    ]);
    expect(await host.invoke('esm', {})).toEqual({ result: expect.stringMatching(/index\.mjs$/) });
  });

  it('runs in real time, too', async () => {
    const { host } = startHost(
      [functionOf('now', 'export const handler = async () => Date.now();')],
      { clock: realClock },
    );
    const answer = await host.invoke('now', {});
    expect(Math.abs(Number('result' in answer && answer.result) - Date.now())).toBeLessThan(60_000);
  });

  it('tells the servers which instance asks, through undici, fetch and node:http', async () => {
    const url = await serve((request, response) => {
      response.end(String(request.headers['x-sandbox-caller']));
    });
    const source = `import { Pool } from 'undici';
      import { get } from 'node:http';
      import { text } from 'node:stream/consumers';
      export const handler = async ({ url }) => {
        const pool = new Pool(url);
        const { body } = await pool.request({ path: '/', method: 'GET' });
        const viaHttp = await new Promise((resolve) => get(url, resolve));
        return [await body.text(), await (await fetch(url)).text(), await text(viaHttp)];
      };`;
    const { host } = startHost([functionOf('ask', source)]);
    expect(await host.invoke('ask', { url })).toEqual({ result: ['ask-1', 'ask-1', 'ask-1'] });
  });

  it('shares a clock with another host', async () => {
    const one = functionOf('echo', echo);
    const { host, clock } = startHost([one]);
    const other = startHost([one], { clock, idPrefix: 'other/' });
    await Promise.all([host.invoke('echo', {}), other.host.invoke('echo', {})]);
    expect(other.host.instances.map(({ id }) => id)).toEqual(['other/echo-1']);
  });

  it('leaves no process behind', async () => {
    const { host } = startHost([functionOf('echo', echo)]);
    await host.invoke('echo', {});
    await host.close();
    expect(host.instances.map(({ state }) => state)).toEqual(['ended']);
    expect(() => process.kill(host.instances[0]?.pid ?? 0, 0)).toThrow('ESRCH');
  });
});

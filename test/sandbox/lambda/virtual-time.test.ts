import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCluster } from '../../../sandbox/cluster/server.ts';
import { withLatency } from '../../../sandbox/latency.ts';
import { functionOf, serve, startAt, startHost } from './fixtures.ts';

const sleeper = `import { setTimeout as sleep } from 'node:timers/promises';
  export const handler = async ({ ms }) => {
    for (const one of ms) await sleep(one);
    return Date.now();
  };`;

describe("a function's process by a virtual clock", () => {
  it('sleeps for weeks at once, and its Date follows', async () => {
    const { clock, host } = startHost([functionOf('sleeper', sleeper, { timeoutMs: 1e12 })]);
    const answer = await clock.waitFor(host.invoke('sleeper', { ms: [1_000, 30 * 86_400_000] }));
    expect(answer).toEqual({ result: startAt + 1_000 + 30 * 86_400_000 });
    expect(clock.now()).toBe(startAt + 1_000 + 30 * 86_400_000);
  });

  it('sleeps in an ES module, too', async () => {
    const { clock, host } = startHost([functionOf('sleeper', sleeper, {}, 'index.mjs')]);
    const answer = await clock.waitFor(host.invoke('sleeper', { ms: [1_000] }));
    expect(answer).toEqual({ result: startAt + 1_000 });
  });

  it('shows the same virtual Date in every form', async () => {
    const source = `export const handler = async () => [
      new Date().toISOString(), new Date(0).getTime(), Date(), Date.UTC(2000, 0),
      new Date() instanceof Date, new Date(2025, 5, 1).toISOString(),
    ];`;
    const { host } = startHost([functionOf('dates', source)]);
    expect(await host.invoke('dates', {})).toEqual({
      result: [
        '2025-01-01T00:00:00.000Z',
        0,
        expect.stringMatching(/^Wed Jan 01 2025/),
        Date.UTC(2000, 0),
        true,
        '2025-06-01T00:00:00.000Z',
      ],
    });
  });

  it('wakes two processes each at its own time', async () => {
    const { clock, host } = startHost([functionOf('sleeper', sleeper)]);
    const long = clock.spawn('long', () => clock.waitFor(host.invoke('sleeper', { ms: [10, 20] })));
    const short = clock.spawn('short', () => clock.waitFor(host.invoke('sleeper', { ms: [15] })));
    const answers = await clock.waitFor(Promise.all([long, short]));
    expect(answers).toEqual([{ result: startAt + 30 }, { result: startAt + 15 }]);
  });

  it('lets no time pass while an HTTP request is under way, in any strand of the process', async () => {
    const source = `import { setTimeout as sleep } from 'node:timers/promises';
      import { Pool } from 'undici';
      import { get } from 'node:http';
      import { text } from 'node:stream/consumers';
      export const handler = async ({ url }) => {
        const pool = new Pool(url);
        const ask = async () => {
          await sleep(5);
          const before = Date.now();
          for (let i = 0; i < 5; i++) await (await pool.request({ path: '/', method: 'GET' })).body.text();
          await text(await new Promise((resolve) => get(url, resolve)));
          return [before, Date.now()];
        };
        const [asked] = await Promise.all([ask(), sleep(6)]);
        return [...asked, Date.now()];
      };`;
    const url = await serve((_request, response) => {
      setTimeout(() => response.end('slow'), 10);
    });
    const { clock, host } = startHost([functionOf('ask', source)]);
    expect(await clock.waitFor(host.invoke('ask', { url }))).toEqual({
      result: [startAt + 5, startAt + 5, startAt + 6],
    });
  });

  it('goes on without a request that is held back, and the process knows the time after', async () => {
    const source = `import { setTimeout as sleep } from 'node:timers/promises';
      export const handler = async ({ url }) => {
        const [asked, slept] = await Promise.all([
          fetch(url).then((response) => response.text()).then(() => Date.now()),
          sleep(2_000).then(() => Date.now()),
        ]);
        return { asked, slept };
      };`;
    const { clock, host } = startHost([functionOf('ask', source)]);
    const hold = async (caller: string, response: ServerResponse) => {
      await clock.heldBack(caller, clock.after(5_000));
      response.end();
    };
    const url = await serve((request, response) => {
      hold(String(request.headers['x-sandbox-caller']), response);
    });
    expect(await clock.waitFor(host.invoke('ask', { url }))).toEqual({
      result: { asked: startAt + 5_000, slept: startAt + 2_000 },
    });
  });

  it('kills at the deadline', async () => {
    const { clock, host } = startHost([functionOf('sleeper', sleeper, { timeoutMs: 3_000 })]);
    const answer = await clock.waitFor(host.invoke('sleeper', { ms: [2_000, 2_000] }));
    expect(answer).toMatchObject({
      error: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(
          /^RequestId: \S+ Error: Task timed out after 3.00 seconds$/,
        ),
      },
    });
    expect(clock.now()).toBe(startAt + 3_000);
    expect(host.instances.map(({ state }) => state)).toEqual(['ended']);
  });

  it('kills at the deadline a process whose request is never answered', async () => {
    const source = 'export const handler = ({ url }) => fetch(url);';
    const { clock, host } = startHost([functionOf('ask', source)]);
    const url = await serve((request) => {
      clock.exclude(String(request.headers['x-sandbox-caller']));
    });
    expect(await clock.waitFor(host.invoke('ask', { url }))).toMatchObject({
      error: { errorType: 'Sandbox.Timedout' },
    });
    expect(clock.now()).toBe(startAt + 60_000);
  });

  it('counts the remaining time down', async () => {
    const source = `import { setTimeout as sleep } from 'node:timers/promises';
      export const handler = async (_event, context) => {
        const before = context.getRemainingTimeInMillis();
        await sleep(59_000);
        return [before, context.getRemainingTimeInMillis()];
      };`;
    const { clock, host } = startHost([functionOf('remaining', source)]);
    expect(await clock.waitFor(host.invoke('remaining', {}))).toEqual({ result: [60_000, 1_000] });
  });

  it('aborts a sleep by its signal', async () => {
    const source = `import { setTimeout as sleep } from 'node:timers/promises';
      export const handler = async () => {
        const controller = new AbortController();
        const long = sleep(10_000, 'slept', { signal: controller.signal }).catch((error) => error.name);
        const value = await sleep(100, 'value');
        controller.abort();
        const late = sleep(1, undefined, { signal: controller.signal }).catch((error) => error.code);
        return [value, await long, await late, Date.now()];
      };`;
    const { clock, host } = startHost([functionOf('abort', source)]);
    expect(await clock.waitFor(host.invoke('abort', {}))).toEqual({
      result: ['value', 'AbortError', 'ABORT_ERR', startAt + 100],
    });
  });

  it('starts with the time of the clock, however late', async () => {
    const { clock, host } = startHost([functionOf('sleeper', sleeper)]);
    await host.invoke('sleeper', { ms: [] });
    await clock.runUntil(startAt + 86_400_000);
    expect(await host.invoke('sleeper', { ms: [] })).toEqual({ result: startAt + 86_400_000 });
  });

  it('lets time go on when a sleeping process is killed', async () => {
    const { clock, host } = startHost([functionOf('sleeper', sleeper)]);
    const answer = host.invoke('sleeper', { ms: [50_000] });
    clock.at(startAt + 100, () => host.kill('sleeper-1'));
    expect(await clock.waitFor(answer)).toMatchObject({
      error: { errorType: 'Runtime.ExitError' },
    });
    await clock.sleep(1);
    expect(clock.now()).toBe(startAt + 101);
  });

  const worker = `export const handler = async ({ cpuMs }) => {
    const [startedAt, used] = [Date.now(), process.cpuUsage()];
    while (process.cpuUsage(used).user < cpuMs * 1_000) for (let i = 0; i < 1e6; i++);
    return Date.now() - startedAt;
  };`;

  it('takes time for its work where that was asked for, and is killed when it takes too long', async () => {
    const { clock, host } = startHost([functionOf('worker', worker, { timeoutMs: 10_000 })], {
      cpuFactor: 20,
    });
    const work = (cpuMs: number) => clock.waitFor(host.invoke('worker', { cpuMs }));
    await work(0);
    const before = clock.now();
    const answer = await work(100);
    expect(answer).toEqual({ result: expect.any(Number) });
    expect(clock.now() - before).toBeGreaterThanOrEqual(2_000);

    const beforeLong = clock.now();
    expect(await work(600)).toMatchObject({ error: { errorType: 'Sandbox.Timedout' } });
    expect(clock.now()).toBe(beforeLong + 10_000);
  });

  it('takes no time for its work by default', async () => {
    const { clock, host } = startHost([functionOf('worker', worker)]);
    expect(await clock.waitFor(host.invoke('worker', { cpuMs: 50 }))).toEqual({ result: 0 });
    expect(clock.now()).toBe(startAt);
  });

  it('waits for slow servers by the virtual clock', async () => {
    const source = `export const handler = async ({ url }) => {
      for (let i = 0; i < 3; i++) await (await fetch(url + '/health')).text();
      return Date.now();
    };`;
    const { clock, host } = startHost([functionOf('ask', source, { timeoutMs: 3_000 })]);
    const cluster = await startCluster({ clock, intercept: withLatency(clock, () => 500) });
    onTestFinished(() => cluster.close());
    const ask = () => clock.waitFor(host.invoke('ask', { url: cluster.url }));
    expect(await ask()).toEqual({ result: startAt + 1_500 });
    cluster.intercept = withLatency(clock, ({ operation }) =>
      operation === 'GET /health' ? 1_001 : 0,
    );
    expect(await ask()).toMatchObject({ error: { errorType: 'Sandbox.Timedout' } });
    // A person's request takes none: nobody waits for it by this clock.
    expect((await fetch(`${cluster.url}/health`)).status).toBe(200);
  });
});

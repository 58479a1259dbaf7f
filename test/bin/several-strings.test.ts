import type { ServerResponse } from 'node:http';
import { expect, it, vi } from 'vitest';
import { carryOut } from '../../bin/keyturn/carry-out.ts';
import { AT_ONCE } from '../../bin/keyturn/several-at-once.ts';
import type { Terminal } from '../../bin/keyturn/terminal.ts';
import { DAY, HOUR, TELEGRAF } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { answeringLambda, FAILED, previewOf, reportOf } from './answering-lambda.ts';
import { keyturn } from './cli.ts';
import { openDeployed } from './operator.ts';

const ORDER = ['revoke', '--leaked', '--reason', 'in a log', '--yes'];

/** The string of a superseded token, then that of the current one. */
async function rotated(world: World): Promise<readonly [string, string]> {
  await world.rotate();
  await world.wait(HOUR);
  const old = world.string(TELEGRAF);
  await world.rotate({ tokens: ['telegraf'], force: true });
  return [old, world.string(TELEGRAF)];
}

it('strings of one secret are one order, which proves them all dead, also when it is repeated', async () => {
  const { world, run } = await openDeployed();
  const [old, current] = await rotated(world);
  const text = `old=${old}\nnew=${current}\nagain=${old.replace(/=+$/, '')}\n`;

  const shown = await run(['revoke', '--leaked', '--dry-run'], text);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/^string 1 \(line 1\), string 2 \(line 2\)\nReplace: /);
  expect(shown.stdout.match(/Replace: /g)).toHaveLength(1);
  expect(shown.stdout).not.toContain('no marker');

  const done = await run(ORDER, text);
  expect(done.stdout).toMatch(/^string 1 \(line 1\), string 2 \(line 2\)\nTOKEN/);
  expect(done.stdout.match(/deleted/g)).toHaveLength(2);
  expect(done.stdout).toContain('Everything was done and proven');
  expect(done.code).toBe(0);
  await world.wait(HOUR / 30);
  expect([old, current].map((each) => world.accepts(each))).toEqual([false, false]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  const successor = world.holders(TELEGRAF).AWSCURRENT;

  const again = await run([...ORDER, '--json'], text);
  expect(JSON.parse(again.stdout)).toMatchObject([
    { line: 1, answer: { confirmed: true } },
    { line: 2, answer: { confirmed: true } },
  ]);
  expect(again.code).toBe(0);
  expect(world.holders(TELEGRAF).AWSCURRENT).toBe(successor);
});

it('strings that one order no longer ends, once a schedule has promoted one of them, are looked at anew', async () => {
  const { world, run } = await openDeployed({ defaults: { rotateEvery: '30d' } });
  await world.rotate();
  await world.wait(31 * DAY);
  await world.rotate();
  const strings = [
    world.string(TELEGRAF),
    world.string(TELEGRAF, world.labels(TELEGRAF).AWSPENDING),
  ] as const;
  await world.wait(HOUR);
  let looks = 0;
  // One look for each string, and one for the order.
  world.intercept(async (call, effect) => {
    const isLook = call.caller?.includes('revoke') && call.operation === 'ListSecrets';
    if (isLook) looks += 1;
    if (isLook && looks === 3) await world.beside(call, () => world.rotate());
    return effect();
  });
  const { code } = await run(ORDER, `old=${strings[0]}\nnew=${strings[1]}\n`);
  world.intercept();
  expect(looks).toBeGreaterThan(3);
  await world.wait(HOUR);
  expect(strings.map((each) => world.accepts(each))).toEqual([false, false]);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  expect(code).toBe(0);
});

it('strings of one secret are proven dead where the cluster hides revoked tokens', async () => {
  const { world, run } = await openDeployed();
  const [old, current] = await rotated(world);
  world.cluster.manners = { hidesRevoked: true };
  const { code, stdout } = await run(ORDER, `new=${current}\nold=${old}\n`);
  expect(stdout).toContain('Everything was done and proven');
  expect(code).toBe(0);
  expect([old, current].map((each) => world.accepts(each))).toEqual([false, false]);
});

it('every string of a file in base64 is ended, also behind a management token', async () => {
  const { world, run } = await openDeployed();
  await world.rotate();
  await world.wait(HOUR);
  const strings = [world.string(TELEGRAF), world.string('keyturn/prod/grafana')];
  const [one, two] = strings;
  const file = Buffer.from(`TELEGRAF=${one}\nADMIN=M.V1.c2VjcmV0LXNlY3JldA\nGRAFANA=${two}\n`);
  const { code, stdout, stderr } = await run(ORDER, `data:\n  .env: ${file.toString('base64')}\n`);
  expect(strings.map((each) => world.accepts(each))).toEqual([false, false]);
  expect(stdout.match(/Everything was done and proven/g)).toHaveLength(2);
  // The management token is nothing that Keyturn can end.
  expect(stderr).toContain('nothing was done for string 3 (line 2), of 3 strings');
  expect(code).toBe(1);
});

it('a refused string stops no other one, and is told before and after', async () => {
  const { world, run } = await openDeployed();
  await world.rotate();
  await world.wait(HOUR);
  const strings = [TELEGRAF, 'keyturn/prod/grafana'].map((secret) => world.string(secret));
  await run(['revoke', '--token', 'telegraf', '--freeze', '--reason', 'odd', '--yes']);
  const { code, stdout, stderr } = await run(ORDER, strings.join('\n'));
  expect(code).toBe(4);
  expect(stdout).toMatch(/^string 2 \(line 2\)\n[\s\S]*grafana +\w{8} +deleted/);
  expect(stdout).not.toContain('string 1');
  expect(
    stderr.match(/string 1 \(line 1\): refused: .* on hold .*; nothing was done$/gm),
  ).toHaveLength(2);
  await world.wait(HOUR / 30);
  expect(strings.map((each) => world.accepts(each))).toEqual([false, false]);
  expect(world.string('keyturn/prod/grafana')).not.toBe(strings[1]);

  // Nothing is left that is possible: nobody is asked, and nothing is sent.
  const none = await run([...ORDER.slice(0, -1), '--json'], strings[0]);
  expect(none.code).toBe(4);
  expect(JSON.parse(none.stdout).error.message).toMatch(/^refused: .*; nothing was done$/);
});

/** Somebody at a terminal who types what is asked for; `shown` is all that they saw. */
function person(): { readonly terminal: Terminal; readonly shown: () => string } {
  const seen: string[] = [];
  const note = (text: string) => {
    seen.push(text);
  };
  const terminal: Terminal = {
    print: note,
    printJson: (value) => note(JSON.stringify(value)),
    note,
    clean: (text) => text,
    hasPrinted: false,
    isCut: false,
    flushed: async () => {},
    style: (_format, text) => text,
    noteStyle: (_format, text) => text,
    clear: () => {},
    isWatched: false,
    interactive: true,
    ask: (question) => {
      note(question);
      return Promise.resolve(/^Type (\S+)/.exec(question)?.[1] ?? 'x');
    },
    readHidden: async () => '',
  };
  return { terminal, shown: () => seen.join('\n') };
}

it('an order that another one changed is shown and confirmed again, and the first is not repeated', async () => {
  const given: unknown[] = [];
  let changed = false;
  const env = await answeringLambda((event, response) => {
    const { fingerprint, plan, dryRun } = event;
    const isSecond = fingerprint === 'b';
    const hash = isSecond && changed ? 'bbbbbbbbbbbbbbb2' : 'bbbbbbbbbbbbbbb1';
    if (dryRun) {
      const warnings = isSecond && changed ? ['it is another now'] : [];
      return response.end(JSON.stringify(previewOf({ hash, warnings })));
    }
    given.push([fingerprint, plan]);
    if (!isSecond) changed = true;
    if (plan === hash) return response.end(JSON.stringify(reportOf()));
    const error = { errorType: 'PlanChangedError', errorMessage: 'the plan is not the one' };
    return response.writeHead(200, FAILED).end(JSON.stringify(error));
  });
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const { terminal, shown } = person();
  const orders = ['a', 'b'].map((fingerprint, index) => ({
    way: 'freeze',
    line: index + 1,
    events: [{ fingerprint }],
  }));
  await carryOut(orders, { policy: env.KEYTURN_POLICY ?? '', reason: 'x' }, terminal);
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  expect(given).toEqual([
    ['a', 'bbbbbbbbbbbbbbb1'],
    ['b', 'bbbbbbbbbbbbbbb1'],
    ['b', 'bbbbbbbbbbbbbbb2'],
  ]);
  expect(shown()).toMatch(
    /nothing was done for what follows\. This is the order now:\nstring 2 \(line 2\)\n[\s\S]*it is another now[\s\S]*Type revoke/,
  );
});

const LEAKED = [...'ABCD'].map((letter) => `apiv1_${letter.repeat(86)}`).join('\n');
const FROZEN = ['revoke', '--leaked', '--freeze', '--reason', 'x', '--yes'];

it('several strings are ended at the same time, and reported in their order', async () => {
  const open: (() => void)[] = [];
  const env = await answeringLambda((event, response) => {
    if (event.dryRun) return response.end(JSON.stringify(previewOf()));
    open.push(() => response.end(JSON.stringify(reportOf())));
    // No order is answered before all are given; then the last one first.
    if (open.length === 4) for (const end of open.reverse()) end();
  });
  const { code, stdout } = await keyturn(FROZEN, { env, stdin: LEAKED });
  expect(code).toBe(0);
  expect(stdout.match(/^string \d/gm)).toEqual(['string 1', 'string 2', 'string 3', 'string 4']);
});

it('several strings are looked for at the same time, and shown in their order', async () => {
  const strings = [...'ABCDEFGHIJ'].map((letter) => `apiv1_${letter.repeat(86)}`).join('\n');
  const open: (() => void)[] = [];
  let answered = 0;
  const env = await answeringLambda((_event, response) => {
    open.push(() => response.end(JSON.stringify(previewOf())));
    // No look is answered before as many are asked as can be; then the last one first.
    if (open.length < AT_ONCE && answered < AT_ONCE) return;
    answered += open.length;
    for (const end of open.splice(0).reverse()) end();
  });
  const { code, stdout } = await keyturn([...FROZEN, '--dry-run'], { env, stdin: strings });
  expect(code).toBe(0);
  const wanted = Array.from({ length: 10 }, (_each, index) => `string ${index + 1}`);
  expect(stdout.match(/^string \d+/gm)).toEqual(wanted);
});

/** Lambda has no room for another run. */
const refuse = (response: ServerResponse) => {
  response.writeHead(429, { 'x-amzn-errortype': 'TooManyRequestsException' });
  return response.end('{"Message":"Rate Exceeded."}');
};

it('a look that Lambda has no room for waits until another one has ended', async () => {
  let open = 0;
  const env = await answeringLambda((_event, response) => {
    if (open > 0) {
      return refuse(response);
    }
    open += 1;
    return setTimeout(() => {
      open -= 1;
      response.end(JSON.stringify(previewOf()));
    }, 1_000);
  });
  const { code, stdout } = await keyturn([...FROZEN, '--dry-run'], { env, stdin: LEAKED });
  expect(code).toBe(0);
  expect(stdout.match(/^string \d/gm)).toHaveLength(4);
});

it('strings of one secret that are not one order are ended one after the other', async () => {
  let open = 0;
  const most: number[] = [];
  const env = await answeringLambda((event, response) => {
    if (event.dryRun) return response.end(JSON.stringify(previewOf({ secrets: ['one'] })));
    open += 1;
    most.push(open);
    return setTimeout(() => {
      open -= 1;
      response.end(JSON.stringify(reportOf()));
    }, 100);
  });
  expect((await keyturn(FROZEN, { env, stdin: LEAKED })).code).toBe(0);
  expect(most).toEqual([1, 1, 1, 1]);
});

it('an order that Lambda has no room for waits until another one has ended', async () => {
  let open = 0;
  const env = await answeringLambda((event, response) => {
    if (event.dryRun) return response.end(JSON.stringify(previewOf()));
    if (open > 0) {
      return refuse(response);
    }
    open += 1;
    return setTimeout(() => {
      open -= 1;
      response.end(JSON.stringify(reportOf()));
    }, 1_000);
  });
  const { code, stdout, stderr } = await keyturn(FROZEN, { env, stdin: LEAKED });
  expect(code).toBe(0);
  expect(stdout.match(/^string \d/gm)).toHaveLength(4);
  expect(stderr).toMatch(/^string \d \(line \d\): Lambda starts no more runs now/m);
});

it.each(['look', 'order'])(
  'no %s that Lambda never begins is taken for one that is done',
  async (what) => {
    const env = await answeringLambda((event, response) => {
      if (event.dryRun && what === 'order') return response.end(JSON.stringify(previewOf()));
      return refuse(response);
    });
    const { code, stdout, stderr } = await keyturn(FROZEN, { env, stdin: LEAKED });
    expect(code).toBe(1);
    expect(stderr).toContain('Lambda');
    expect(stdout).not.toContain('Everything was done');
  },
);

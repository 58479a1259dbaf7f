import { expect, test } from 'vitest';
import { createBearers } from '../../../functions/identity-provider/bearers.ts';
import type { Grant } from '../../../functions/identity-provider/client-credentials.ts';
import { IdentityProviderError } from '../../../functions/identity-provider/provider-error.ts';
import { TokenValue } from '../../../functions/token-value.ts';

const LIFE = 300_000;

/** Bearers at a time that a test moves, of a provider that answers when a test says so. */
function open() {
  let time = 0;
  const waiting: { give(text: string): Promise<void>; fail(error?: Error): Promise<void> }[] = [];
  const held: string[] = [];
  const warned: string[] = [];
  const bearers = createBearers({
    now: () => time,
    hold: (token) => held.push(token.reveal()),
    warn: (message) => warned.push(message),
    grant: () =>
      new Promise<Grant>((resolve, reject) => {
        const settle = async (act: () => void) => {
          act();
          for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
        };
        waiting.push({
          give: (text) => settle(() => resolve({ value: new TokenValue(text), lifeMs: LIFE })),
          fail: (error = new Error('down')) => settle(() => reject(error)),
        });
      }),
  });
  bearers.begin(new TokenValue('secret'));
  const next = () => waiting.shift() ?? expect.unreachable();
  return { bearers, next, waiting, held, warned, at: (ms: number) => (time = ms) };
}

const revealed = async (token: Promise<TokenValue | undefined>) => (await token)?.reveal();

test('all that ask at once wait for one request, and the token is known to whoever redacts before it is used', async () => {
  const { bearers, next, waiting, held } = open();
  const asked = [bearers.bearer(), bearers.bearer(), bearers.bearer()];
  await next().give('one');
  expect(await Promise.all(asked.map(revealed))).toEqual(['one', 'one', 'one']);
  expect(waiting).toHaveLength(0);
  expect(held).toEqual(['one']);
});

test('a token is renewed after four fifths of its life, by one request for all', async () => {
  const { bearers, next, waiting, at } = open();
  const first = bearers.bearer();
  await next().give('one');
  await first;
  at(LIFE * 0.8 - 1);
  expect(await revealed(bearers.bearer())).toBe('one');
  at(LIFE * 0.8);
  const asked = [bearers.bearer(), bearers.bearer()];
  expect(waiting).toHaveLength(1);
  await next().give('two');
  expect(await Promise.all(asked.map(revealed))).toEqual(['two', 'two']);
});

test('one that cannot be renewed is used until its end, and not for longer', async () => {
  const { bearers, next, waiting, at, warned } = open();
  const first = bearers.bearer();
  await next().give('one');
  await first;
  at(LIFE * 0.9);
  const late = bearers.bearer();
  await next().fail();
  expect(await revealed(late)).toBe('one');
  expect(warned).toHaveLength(1);
  // Not asked again at every request.
  expect(await revealed(bearers.bearer())).toBe('one');
  expect(waiting).toHaveLength(0);
  at(LIFE);
  const over = bearers.bearer();
  await next().fail();
  await expect(over).rejects.toThrow('down');
});

test('a client that is refused for certain is not asked for at each request, and the next run asks anew', async () => {
  const { bearers, next, waiting, at } = open();
  const first = bearers.bearer();
  await next().fail(new IdentityProviderError('refused'));
  await expect(first).rejects.toThrow('refused');
  for (const ms of [1, 59_999]) {
    at(ms);
    await expect(bearers.bearer()).rejects.toThrow('refused');
  }
  expect(waiting).toHaveLength(0);
  at(60_000);
  const later = bearers.bearer();
  await next().fail(new IdentityProviderError('refused'));
  await expect(later).rejects.toThrow('refused');
  bearers.begin(new TokenValue('secret'));
  const ofNextRun = bearers.bearer();
  await next().give('one');
  expect(await revealed(ofNextRun)).toBe('one');
});

test('a provider that is in trouble is asked at the next request', async () => {
  const { bearers, next } = open();
  const first = bearers.bearer();
  await next().fail(new IdentityProviderError('in trouble', true));
  await expect(first).rejects.toThrow('in trouble');
  const second = bearers.bearer();
  await next().give('one');
  expect(await revealed(second)).toBe('one');
});

test('requests that are refused together get one other token, and a cluster that refuses that as well is not asked for ever', async () => {
  const { bearers, next, waiting, at } = open();
  const first = bearers.bearer();
  await next().give('one');
  const one = await first;
  const both = [bearers.another(one), bearers.another(one)];
  await next().give('two');
  expect(await Promise.all(both.map(revealed))).toEqual(['two', 'two']);
  // Whoever was refused with the former one finds the present one.
  expect(await revealed(bearers.another(one))).toBe('two');
  expect(await bearers.another(new TokenValue('two'))).toBeUndefined();
  expect(waiting).toHaveLength(0);
  at(60_000);
  const later = bearers.another(new TokenValue('two'));
  await next().give('three');
  expect(await revealed(later)).toBe('three');
});

test('another secret of the client ends the use of its token, and the same one does not', async () => {
  const { bearers, next, waiting } = open();
  const first = bearers.bearer();
  await next().give('one');
  await first;
  bearers.begin(new TokenValue('secret'));
  expect(await revealed(bearers.bearer())).toBe('one');
  bearers.begin(new TokenValue('another'));
  const second = bearers.bearer();
  expect(waiting).toHaveLength(1);
  await next().give('two');
  expect(await revealed(second)).toBe('two');
});

test('what a run has begun is not waited for by the next one', async () => {
  const { bearers, next, waiting } = open();
  const lost = bearers.bearer();
  bearers.end();
  const second = bearers.bearer();
  expect(waiting).toHaveLength(2);
  await next().fail();
  await next().give('two');
  await expect(lost).rejects.toThrow('down');
  expect(await revealed(second)).toBe('two');
});

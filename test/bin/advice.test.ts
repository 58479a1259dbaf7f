import { expect, test } from 'vitest';
import { advised, advisingLocal, repeatingLocal } from '../../bin/keyturn/advice.ts';
import { createProgram } from '../../bin/keyturn/program.ts';
import { createTerminal } from '../../bin/keyturn/terminal.ts';

test.each(
  createProgram(createTerminal()).commands.map((command) => {
    const isLocal = command.options.some(({ long }) => long === '--local');
    return { typed: `keyturn ${command.name()}`, isLocal };
  }),
)('advice to type $typed repeats --local exactly where it is an option: $isLocal', (each) => {
  const { typed, isLocal } = each;
  expect(repeatingLocal(`until ${typed} NAME`)).toBe(
    isLocal ? `until ${typed} --local NAME` : `until ${typed} NAME`,
  );
});

test.each([
  ['keyturn rotate telegraf says how', 'keyturn rotate --local telegraf says how'],
  [
    '(keyturn plan) and keyturn adopt x --confirm',
    '(keyturn plan --local) and keyturn adopt --local x --confirm',
  ],
  [
    'keyturn whois --local asks; keyturn doctor',
    'keyturn whois --local asks; keyturn doctor --local',
  ],
  [
    'keyturn revoke --leaked (or --token-id ID) --freeze --local needs the cluster alone',
    'keyturn revoke --leaked (or --token-id ID) --freeze --local needs the cluster alone',
  ],
  // These go to AWS from here in any case.
  ['keyturn resume starts it, keyturn pause', 'keyturn resume starts it, keyturn pause'],
])('advice for this machine says so once: %s', (text, expected) => {
  expect(repeatingLocal(text)).toBe(expected);
  expect(repeatingLocal(expected)).toBe(expected);
  expect(advised(text, false)).toBe(text);
});

test('of an answer on this machine, sentences are for it, and what people wrote stays', async () => {
  const message = 'keyturn rotate x mints another one';
  const answer = {
    message,
    plan: { findings: [{ message, reason: message }] },
    warnings: [message],
    unconfirmed: [message],
    refusal: message,
    withoutToken: [message],
    notReached: [{ secret: 'x', reason: message }],
    reason: message,
  };
  const engine = advisingLocal({
    placeOf: () => 'this machine',
    call: (job) => (job === 'reap' ? Promise.reject(new Error(message)) : Promise.resolve(answer)),
  });
  const local = 'keyturn rotate --local x mints another one';
  expect(await engine.call('rotate', {})).toEqual({
    message: local,
    plan: { findings: [{ message: local, reason: message }] },
    warnings: [local],
    unconfirmed: [local],
    refusal: local,
    withoutToken: [local],
    notReached: [{ secret: 'x', reason: local }],
    reason: message,
  });
  await expect(engine.call('reap', {})).rejects.toThrow(local);
});

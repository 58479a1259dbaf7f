import { expect, test } from 'vitest';
import { advised, advisingLocal, repeatingLocal } from '../../bin/keyturn/advice.ts';

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
  });
  await expect(engine.call('reap', {})).rejects.toThrow(local);
});

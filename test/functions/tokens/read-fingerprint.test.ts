import { expect, test } from 'vitest';
import { TokenValue } from '../../../functions/token-value.ts';
import { fingerprintReader } from '../../../functions/tokens/read-fingerprint.ts';
import { id, policyOf, TELEGRAF } from '../builders.ts';

const policy = policyOf({}, { adopt: { tokenId: id(1), key: 'influx' } });
const fingerprintOf = (string: string) => new TokenValue(string).fingerprint();

/** Whose string a text is found to have, of tokens with these strings. */
async function readIn(text: string, ...strings: string[]) {
  const warnings: string[] = [];
  const read = fingerprintReader({
    secrets: { value: () => Promise.resolve(new TokenValue(text)) } as never,
    policy,
    log: { warn: (message: string) => warnings.push(message) } as never,
  });
  const found = await read(TELEGRAF, 'a version', { known: strings.map(fingerprintOf) });
  return { found, warnings };
}

test('a text of another form than its entry says has the string of nobody, and is told of', async () => {
  const text = '{"other": "apiv1_of_people"}';
  expect(await readIn(text, 'apiv1_one', 'apiv1_two')).toEqual({
    found: fingerprintOf(text),
    warnings: ['a value could not be read'],
  });
});

test('where one of ours is somewhere in such a text, nobody can say whose it has', async () => {
  const text = '{"other": "apiv1_one"}';
  expect((await readIn(text, 'apiv1_one', 'apiv1_two')).found).toBeUndefined();
});

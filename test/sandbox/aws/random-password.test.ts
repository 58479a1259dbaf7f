import { expect, test } from 'vitest';
import { refusal, start } from './start.ts';

test('a password has 32 characters, of every type', async () => {
  const { client } = await start();
  const { RandomPassword = '' } = await client.getRandomPassword({});
  expect(RandomPassword).toHaveLength(32);
  for (const type of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9 ]/])
    expect(RandomPassword).toMatch(type);
});

test('excluded characters and types do not occur', async () => {
  const { client } = await start();
  const { RandomPassword } = await client.getRandomPassword({
    PasswordLength: 120,
    ExcludeCharacters: 'xyz',
    ExcludeUppercase: true,
    ExcludePunctuation: true,
  });
  expect(RandomPassword).toMatch(/^[a-w0-9]{120}$/);
});

test('a password too short for its types is refused', async () => {
  const { client } = await start();
  expect(await refusal(client.getRandomPassword({ PasswordLength: 3 }))).toMatch(
    /^InvalidParameterException/,
  );
});

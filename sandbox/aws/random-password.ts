import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { invalidParameter } from './aws-error.ts';
import { type Operation, operation } from './request.ts';

const LOWERCASE = 'abcdefghijklmnopqrstuvwxyz';
const UPPERCASE = LOWERCASE.toUpperCase();
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

const getRandomPassword = operation(
  z.object({
    PasswordLength: z.number().int().min(1).max(4096).default(32),
    ExcludeCharacters: z.string().max(4096).default(''),
    ExcludeNumbers: z.boolean().default(false),
    ExcludePunctuation: z.boolean().default(false),
    ExcludeUppercase: z.boolean().default(false),
    ExcludeLowercase: z.boolean().default(false),
    IncludeSpace: z.boolean().default(false),
    RequireEachIncludedType: z.boolean().default(true),
  }),
  (_store, input) => {
    const types = [
      input.ExcludeLowercase ? '' : LOWERCASE,
      input.ExcludeUppercase ? '' : UPPERCASE,
      input.ExcludeNumbers ? '' : '0123456789',
      input.ExcludePunctuation ? '' : PUNCTUATION,
      input.IncludeSpace ? ' ' : '',
    ]
      .map((type) => [...type].filter((char) => !input.ExcludeCharacters.includes(char)))
      .filter((type) => type.length > 0);
    const required = input.RequireEachIncludedType ? types : [];
    if (types.length === 0 || required.length > input.PasswordLength)
      throw invalidParameter('Password length is too short based on the required types.');
    const characters = required.map(pick);
    while (characters.length < input.PasswordLength)
      // At random places, so that the required characters are not always first.
      characters.splice(randomInt(characters.length + 1), 0, pick(types.flat()));
    return { RandomPassword: characters.join('') };
  },
);

const pick = (characters: readonly string[]) => characters[randomInt(characters.length)] ?? '';

export const passwordOperations: Readonly<Record<string, Operation>> = {
  GetRandomPassword: getRandomPassword,
};

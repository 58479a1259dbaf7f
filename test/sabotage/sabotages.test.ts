import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PLANTED, SABOTAGES } from './sabotages.ts';

test.each([...SABOTAGES, ...PLANTED])(
  'the rule that "$name" takes out stands once in its file',
  ({ file, rule, instead }) => {
    const source = readFileSync(file, 'utf8');
    expect(source.split(rule)).toHaveLength(2);
    expect(instead).not.toBe(rule);
  },
);

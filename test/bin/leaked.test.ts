import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { readLeaked } from '../../bin/keyturn/leaked.ts';
import type { Terminal } from '../../bin/keyturn/terminal.ts';
import { TokenValue } from '../../functions/token-value.ts';

const pasted = (text: string) =>
  readLeaked({ readHidden: () => Promise.resolve(text) } as Partial<Terminal> as Terminal);

test.each(['base64', 'base64url'] as const)(
  'finds a token string of the %s alphabet whole, alone and in a text',
  async (alphabet) => {
    for (let count = 0; count < 200; count += 1) {
      const string = `apiv1_${randomBytes(64).toString(alphabet)}`;
      const fingerprint = new TokenValue(string).fingerprint();
      for (const text of [string, `INFLUX_TOKEN="${string}"\n`, `Authorization: Token ${string}`]) {
        expect(await pasted(text)).toBe(fingerprint);
      }
    }
  },
);

import { expect, test } from 'vitest';
import { tokenNamedBy, versionIdOf } from '../../../functions/tokens/version-id.ts';
import { id } from '../builders.ts';

test('names the version of a token within what Secrets Manager takes, and reads it back', () => {
  // ClientRequestToken: 32 to 64 characters.
  expect(versionIdOf(id(1))).toBe(`keyturn-${id(1)}`);
  expect(versionIdOf(id(1))).toHaveLength(44);
  expect(tokenNamedBy(versionIdOf(id(1)))).toEqual({ tokenId: id(1), certain: true });
});

test('takes a bare UUID for a token’s id that may be anybody’s, in whichever case', () => {
  expect(tokenNamedBy(id(1))).toEqual({ tokenId: id(1), certain: false });
  const upper = '0A1B2C3D-0000-4000-8000-ABCDEFABCDEF';
  expect(tokenNamedBy(upper)).toEqual({ tokenId: upper.toLowerCase(), certain: false });
});

test.each(['terraform-20260302120000000000000001', 'keyturn-', 'keyturn-1', `x${id(1)}`, ''])(
  'finds no token in the version id “%s”',
  (version) => {
    expect(tokenNamedBy(version)).toBeUndefined();
  },
);

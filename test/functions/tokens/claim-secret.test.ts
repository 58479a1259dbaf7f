import { expect, test } from 'vitest';
import { needsTimes } from '../../../functions/reaping/look-again.ts';
import { needsVersionTimes, refuseForeignSecret } from '../../../functions/tokens/claim-secret.ts';
import { armed, id, type Labels, NOW, policyOf, secretOf, seenIn } from '../builders.ts';

const asks = (labels: Labels, marker: object = {}) => {
  const seen = seenIn({ secrets: [secretOf(labels)], tokens: [armed(1, { marker })] });
  return { rotate: needsVersionTimes(seen), reap: needsTimes(seen) };
};
const both = { rotate: true, reap: true };
const neither = { rotate: false, reap: false };

test('asks when versions were made where no token’s id tells how old a string is', () => {
  expect(asks({ AWSCURRENT: id(70) })).toEqual(both);
  expect(asks({ AWSCURRENT: 1, AWSPREVIOUS: id(70) })).toEqual(both);
  expect(asks({ AWSCURRENT: 1, AWSPENDING: id(70) })).toEqual(both);
});

test('asks nothing of a secret that Keyturn alone has written', () => {
  expect(asks({ AWSCURRENT: 1, AWSPREVIOUS: 2, AWSPENDING: 3 })).toEqual(neither);
  expect(asks({ AWSCURRENT: 1, AWSPREVIOUS: id(1), other: id(70) })).toEqual(neither);
});

test('asks before a fenced token is retired: a person may have handed it out', () => {
  const fenced = { superseded: NOW, fenced: NOW };
  expect(asks({ AWSCURRENT: 2 }, fenced)).toEqual({ rotate: false, reap: true });
});

test('a secret without an owner is refused in words that name adopt for what has consumers', () => {
  const secret = secretOf({}, { name: 'legacy/a', tags: {} });
  const claim = () => refuseForeignSecret(secret, policyOf());
  expect(claim).toThrow(
    /legacy\/a has no owner; .*tag-resource .*If consumers use the string .* put adopt with/,
  );
});

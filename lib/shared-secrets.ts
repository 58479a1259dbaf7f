import type { Policy } from '../functions/policy/policy.ts';

/** A secret has one owner in its marker: a sentence for each that two policies are to write. `place`: where the other one is. */
export function* sharedSecrets(own: Policy, other: Policy, place = other.file): Generator<string> {
  const theirs = new Map(other.tokens.map(({ name, secret }) => [secret, name]));
  for (const { name, secret } of own.tokens) {
    const their = theirs.get(secret);
    if (their === undefined) continue;
    yield `${own.file}: tokens.${name}.secret: found "${secret}", which is also that of "${their}" in ${place}, expected another one: a secret belongs to one deployment, whose token is in it; name another, or take the entry out of one of the two`;
  }
}

/** Of files that go into one account and Region. Two of one owner have another mistake. */
export const secretMistakes = (policies: readonly Policy[]): readonly string[] =>
  policies.flatMap((own, index) =>
    policies
      .slice(0, index)
      .filter(({ owner }) => owner !== own.owner)
      .flatMap((other) => [...sharedSecrets(own, other)]),
  );

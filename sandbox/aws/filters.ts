import type { Secret } from './state.ts';

export interface Filter {
  readonly Key: string;
  readonly Values: readonly string[];
}

type Match = (secret: Secret, value: string) => boolean;

const prefix =
  (texts: (secret: Secret) => readonly string[]): Match =>
  (secret, value) =>
    texts(secret).some((text) => text.startsWith(value));

const attributes = (secret: Secret) => [
  secret.name,
  secret.description ?? '',
  ...Object.keys(secret.tags),
  ...Object.values(secret.tags),
];

/** Every word of the value is the start of a word in one of the texts; case does not matter. */
const words =
  (texts: (secret: Secret) => readonly string[]): Match =>
  (secret, value) => {
    const known = texts(secret).flatMap(split);
    return split(value).every((word) => known.some((text) => text.startsWith(word)));
  };

/** `MySecret-2` is three words. */
const split = (text: string) =>
  text
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    .toLowerCase()
    .split(/[\s/_+=.@-]+/)
    .filter((word) => word !== '');

const matches: Readonly<Record<string, Match>> = {
  name: prefix((secret) => [secret.name]),
  // Documented as a prefix match. Recorded answers match word by word: "a secret" finds "an secret".
  description: words((secret) => [secret.description ?? '']),
  'tag-key': prefix((secret) => Object.keys(secret.tags)),
  'tag-value': prefix((secret) => Object.values(secret.tags)),
  all: words(attributes),
  'primary-region': prefix(({ primaryRegion }) => (primaryRegion ? [primaryRegion] : [])),
};

/**
 * Every filter must match with one of its values; `!` before a value negates it (Filter, API
 * Reference).
 */
export const matchesAll = (secret: Secret, filters: readonly Filter[]) =>
  filters.every((filter) => {
    const match = matches[filter.Key] ?? (() => false);
    const excluded = filter.Values.filter((value) => value.startsWith('!'));
    const included = filter.Values.filter((value) => !value.startsWith('!'));
    return (
      excluded.every((value) => !match(secret, value.slice(1))) &&
      (included.length === 0 || included.some((value) => match(secret, value)))
    );
  });

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

/** Every word of the value begins a word of one of the texts, whatever the case. */
const words =
  (texts: (secret: Secret) => readonly string[]): Match =>
  (secret, value) => {
    const known = texts(secret).flatMap(split);
    return split(value).every((word) => known.some((text) => text.startsWith(word)));
  };

const split = (text: string) =>
  text
    .toLowerCase()
    .split(/[\s/_+=.@-]+/)
    .filter((word) => word !== '');

const matches: Readonly<Record<string, Match>> = {
  name: prefix((secret) => [secret.name]),
  // Documented as a prefix match; recorded answers match word by word: "a secret" finds "an secret".
  description: words((secret) => [secret.description ?? '']),
  'tag-key': prefix((secret) => Object.keys(secret.tags)),
  'tag-value': prefix((secret) => Object.values(secret.tags)),
  all: words(attributes),
};

/** Filters are joined by "and", the values of one filter by "or"; `!` before a value negates it. */
export const matchesAll = (secret: Secret, filters: readonly Filter[]) =>
  filters.every((filter) => {
    const match = matches[filter.Key] ?? (() => false);
    const barred = filter.Values.filter((value) => value.startsWith('!'));
    const wanted = filter.Values.filter((value) => !value.startsWith('!'));
    return (
      barred.every((value) => !match(secret, value.slice(1))) &&
      (wanted.length === 0 || wanted.some((value) => match(secret, value)))
    );
  });

import { nameInArn, SECRET_SUFFIX } from '../../../functions/policy/aws-names.ts';
import { CommandError } from '../failure.ts';
import type { FoundToken, SecretPlace } from './found.ts';
import { type Standing, standingOf } from './judge-token.ts';

/** Where the string of a token is, as a person says it. */
export interface NamedSecret {
  /** Its id, or the first eight characters or more. */
  readonly tokenId: string;
  readonly place: SecretPlace;
}

const FORM = /^([0-9a-fA-F-]{8,36})=([^#]+)(?:#(.+))?$/;

/** A secret's name, of its name or its ARN. */
export const nameOfSecret = (reference: string): string =>
  nameInArn(reference) === reference ? reference : nameInArn(reference).replace(SECRET_SUFFIX, '');

/**
 * `67cd832e=monitoring/grafana`, and behind `#` where the string is in the secret's JSON.
 * @throws CommandError
 */
export function parseNamedSecret(text: string): NamedSecret {
  const [, tokenId, secret, key] = FORM.exec(text) ?? [];
  if (tokenId === undefined || secret === undefined) {
    throw new CommandError(
      '--secret: expected the id of a token, or its first 8 characters, and the name of its secret, such as 67cd832e=monitoring/grafana or 67cd832e=monitoring/grafana#db.token; never a token itself',
    );
  }
  const place = { name: nameOfSecret(secret), ...(key !== undefined && { key }) };
  return { tokenId: tokenId.toLowerCase(), place };
}

const OBSTACLES: Readonly<Record<Exclude<Standing['kind'], 'free'>, string>> = {
  marked: 'it has the marker of a deployment of Keyturn, which rotates it',
  'unreadable-marker': 'it has a marker of Keyturn that cannot be read, or is not its own',
  planned: 'it is not there yet',
  expired: 'it has expired',
  powerless: 'it has no permissions',
  unsayable: 'a policy cannot say what it may do',
};

/** Why a token cannot be taken over. Undefined: nothing that its listing shows. */
function obstacle(token: FoundToken, now: number): string | undefined {
  if (token.revokedAt !== undefined) return 'it is revoked';
  const { kind } = standingOf(token, now);
  return kind === 'free' ? undefined : OBSTACLES[kind];
}

/**
 * The secrets by the whole ids of the tokens that were found.
 * @param now in milliseconds since 1970
 * @throws CommandError if an id is no token's, or several ones', or one is named twice or cannot be taken over
 */
export function placesIn(
  named: readonly NamedSecret[],
  tokens: readonly FoundToken[],
  now: number,
): ReadonlyMap<string, SecretPlace> {
  const places = new Map<string, SecretPlace>();
  for (const { tokenId, place } of named) {
    const those = tokens.filter(({ id }) => id.toLowerCase().startsWith(tokenId));
    const [token, another] = those;
    if (!token || another) {
      const found = token ? `${those.length} tokens` : 'no token';
      throw new CommandError(
        `--secret: found ${found} with an id that begins with ${tokenId}, expected one; correct it. Nothing was written`,
      );
    }
    if (places.has(token.id)) {
      throw new CommandError(
        `--secret: found ${token.id} twice, expected it once: a token is taken over with one secret. Nothing was written`,
      );
    }
    const why = obstacle(token, now);
    if (why !== undefined) {
      throw new CommandError(
        `--secret: token ${token.id} cannot be taken over: ${why}. Nothing was written`,
      );
    }
    places.set(token.id, place);
  }
  return places;
}

/**
 * Those that a person named, and of those that Terraform knows the rest that can be taken over: a person's word counts, and of
 * two tokens whose strings went into one secret the first.
 */
export function namedBoth(
  byHand: readonly NamedSecret[],
  terraform: { readonly named: readonly NamedSecret[] } | undefined,
  tokens: readonly FoundToken[],
  now: number,
): readonly NamedSecret[] {
  const all = [...byHand];
  for (const each of terraform?.named ?? []) {
    const token = tokens.find(({ id }) => id.toLowerCase() === each.tokenId);
    const isTaken = all.some(
      ({ tokenId, place }) => each.tokenId.startsWith(tokenId) || place.name === each.place.name,
    );
    if (token && obstacle(token, now) === undefined && !isTaken) all.push(each);
  }
  return all;
}

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

/** Where Terraform put the string of a token: in one place, or in several. */
export interface KnownPlaces {
  /** Its whole id. */
  readonly tokenId: string;
  /** `isUnsayable`: somewhere in the secret's text that no policy can name. */
  readonly places: readonly (SecretPlace & { readonly isUnsayable?: true })[];
}

const placeText = ({ name, key }: SecretPlace) => (key === undefined ? name : `${name}#${key}`);

/** Why nobody can say which secret is meant. Undefined: there is one, and it has no other token. */
function unclear(
  { tokenId, places }: KnownPlaces,
  all: readonly KnownPlaces[],
  byHand: readonly NamedSecret[],
): string | undefined {
  const [place, another] = places;
  if (another) {
    return `is in several places (${places.map(placeText).join(', ')}), and a rotation would change one of them alone: leave it in one`;
  }
  if (place?.isUnsayable) {
    return `is in ${place.name}, but not as its text, nor under a key that a policy can name`;
  }
  const isThere = (each: SecretPlace) => each.name === place?.name;
  const others = [
    ...all.filter((each) => each.tokenId !== tokenId && each.places.some(isThere)),
    ...byHand.filter((each) => isThere(each.place)),
  ];
  return others.length === 0
    ? undefined
    : `is in ${place?.name}, which also has that of ${others.map((each) => each.tokenId).join(', ')}, and a secret has one token: give each a secret of its own`;
}

/**
 * Those that a person named, and of those that Terraform knows the rest that can be taken over: a person's word counts. Where
 * it is not clear which secret is meant, none is, and `notes` say so.
 */
export function namedBoth(
  byHand: readonly NamedSecret[],
  terraform: { readonly known: readonly KnownPlaces[] } | undefined,
  tokens: readonly FoundToken[],
  now: number,
): { readonly named: readonly NamedSecret[]; readonly notes: readonly string[] } {
  const named = [...byHand];
  const notes: string[] = [];
  const byId = new Map(terraform?.known.map((each) => [each.tokenId, each]));
  const known = [...byId.values()].filter(({ tokenId }) => {
    const token = tokens.find(({ id }) => id.toLowerCase() === tokenId);
    const isNamed = byHand.some((each) => tokenId.startsWith(each.tokenId));
    return token && !isNamed && obstacle(token, now) === undefined;
  });
  for (const each of known) {
    const why = unclear(each, known, byHand);
    const [place] = each.places;
    if (why === undefined && place) named.push({ tokenId: each.tokenId, place });
    else {
      notes.push(
        `! The string of token ${each.tokenId} ${why}. Its entry stands as a comment; or name its secret by --secret.`,
      );
    }
  }
  return { named, notes };
}

import type { ManagementApi } from '../management-api/client.ts';
import type { Token } from '../management-api/token.ts';
import type { Policy } from '../policy/policy.ts';
import type { Secrets } from '../secrets-manager/client.ts';
import { OWNER_TAG, type Secret } from '../secrets-manager/secret.ts';
import { asOwned, type ObservedSecret, type OwnedToken } from '../tokens/observation.ts';
import { observeSecret } from '../tokens/observe.ts';

interface Sources {
  readonly api: Pick<ManagementApi, 'listTokens' | 'getToken'>;
  readonly secrets: Pick<Secrets, 'list' | 'describe'>;
  readonly policy: Policy;
  readonly now: () => number;
}

/** What both systems said, for a person's order: what a schedule would distrust is told all the same. */
export interface Survey {
  /** The Management API's time. */
  readonly at: number;
  readonly skewMs: number;
  readonly secrets: ReadonlyMap<string, ObservedSecret>;
  /** Every token that was listed, of any owner; revoked ones too. */
  readonly tokens: readonly Token[];
}

/** Tokens by the secret that their markers name, and all others by id; revoked ones left out. */
function sort(
  tokens: readonly Token[],
  owner: string,
  secretNamed: (name: string) => Secret | undefined,
) {
  const owned = new Map<string, OwnedToken[]>();
  const foreign = new Map<string, Token>();
  for (const token of tokens) {
    if (token.revokedAt !== undefined) continue;
    const mine = asOwned(token, owner, secretNamed);
    if (!mine) foreign.set(token.id, token);
    else owned.set(mine.marker.secret, [...(owned.get(mine.marker.secret) ?? []), mine]);
  }
  return { owned, foreign };
}

/** Beside what labels name: tokens without our marker that `revoke` replaced here, or that a person named. */
function withForeign(
  seen: ObservedSecret,
  foreign: ReadonlyMap<string, Token>,
  named?: string,
): ObservedSecret {
  const holders = new Map(seen.holders);
  for (const id of [named, ...seen.tokens.map(({ marker }) => marker.replaces)]) {
    const token = foreign.get(id ?? '');
    if (token) holders.set(token.id, { state: 'foreign', token });
  }
  return { ...seen, holders };
}

/** Looks at every secret and every token. Secrets of the policy that are not listed yet are asked for by name. */
export async function survey({ api, secrets, policy, now }: Sources): Promise<Survey> {
  const { owner } = policy;
  const listed = await secrets.list(owner);
  const known = new Set(listed.map(({ name }) => name));
  const late = policy.tokens.filter(({ secret }) => !known.has(secret));
  const described = await Promise.all(late.map(({ secret }) => secrets.describe(secret)));
  const ours = described.filter((secret) => secret?.tags[OWNER_TAG] === owner);
  const all = new Map(
    [...listed, ...ours].flatMap((secret) => (secret ? [[secret.name, secret] as const] : [])),
  );
  const { tokens, at } = await api.listTokens();
  const { owned, foreign } = sort(tokens, owner, (name) => all.get(name));
  const observed = await Promise.all(
    [...all].map(async ([name, secret]) => {
      const seen = await observeSecret(secret, owned.get(name) ?? [], { api, foreign, owner });
      return [name, withForeign(seen, foreign)] as const;
    }),
  );
  return { at, skewMs: at - now(), secrets: new Map(observed), tokens };
}

/**
 * One secret as it is now, with all tokens whose markers name it, and the one that a person named;
 * undefined: there is none.
 */
export async function surveySecret(
  name: string,
  { api, secrets, policy: { owner } }: Pick<Sources, 'api' | 'secrets' | 'policy'>,
  named?: string,
): Promise<ObservedSecret | undefined> {
  const secret = await secrets.describe(name);
  if (!secret) return undefined;
  const { tokens } = await api.listTokens();
  const { owned, foreign } = sort(tokens, owner, (each) => (each === name ? secret : undefined));
  const seen = await observeSecret(secret, owned.get(name) ?? [], { api, foreign, owner });
  return withForeign(seen, foreign, named);
}

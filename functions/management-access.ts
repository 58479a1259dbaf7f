import type { HeldCredentials } from './held-credentials.ts';
import type { ManagementBearers } from './identity-provider/client.ts';
import type { OAuthClient, Policy } from './policy/policy.ts';
import { managementSecret } from './policy/policy.ts';
import type { FoundManagementToken } from './run/look-tools.ts';
import {
  ANOTHER_IN_HAND,
  IN_HAND,
  ManagementTokenError,
  NEVER,
  RefusedClientError,
  readClientSecret,
  readManagementToken,
  UNREADABLE,
} from './secrets-manager/management-token.ts';
import type { Secrets } from './secrets-manager/secrets.ts';
import { formatInstant } from './time.ts';
import { TokenValue } from './token-value.ts';

/** Who gave the management token, and until when it is good: an instant, `never` or `unreadable`; absent: nobody says it. */
export interface ManagementTokenMark {
  readonly by: FoundManagementToken['by'];
  readonly expiresAt?: string;
}

interface ManagementAccessOptions {
  readonly cluster: Policy['cluster'];
  /** By hand; absent: it is read from the secret that the policy names, or comes from the identity provider. */
  readonly given?: TokenValue | undefined;
  readonly secrets: Secrets;
  readonly held: HeldCredentials;
  /** Makes the client of the identity provider, where the policy names one. */
  readonly openBearers: (client: OAuthClient) => Promise<ManagementBearers>;
}

/** By what requests to the Management API are admitted. */
export interface ManagementAccess {
  /** To be called by every run before it sends a request: what is replaced needs no deployment. */
  find(): Promise<FoundManagementToken>;
  /** What requests carry now. */
  bearer(): TokenValue | Promise<TokenValue>;
  /** In place of one that the cluster refuses; undefined: there is no other. */
  another(refused: TokenValue): Promise<TokenValue | undefined>;
  /** That the cluster refuses it: whoever reads it should know where to go. */
  refusal(token: TokenValue): string;
  /** Of the one that was found last. */
  mark(): ManagementTokenMark;
  disconnect(): Promise<void>;
}

/** By what it says of itself: its class is of another bundle. */
const isClientRefused = (error: unknown): boolean => Object(error).isRefusal === true;

function markOf({ by, expiresAt }: FoundManagementToken): ManagementTokenMark {
  if (expiresAt === undefined) return { by };
  if (Number.isNaN(expiresAt)) return { by, expiresAt: UNREADABLE };
  return { by, expiresAt: Number.isFinite(expiresAt) ? formatInstant(expiresAt) : NEVER };
}

export function createManagementAccess({
  cluster,
  given,
  secrets,
  held,
  openBearers,
}: ManagementAccessOptions): ManagementAccess {
  let found: FoundManagementToken = { value: new TokenValue(''), by: 'hand' };
  /** Its tokens outlive a run: identity providers count them. */
  let bearers: ManagementBearers | undefined;

  async function beginBearers(client: OAuthClient): Promise<TokenValue> {
    const secret = await readClientSecret(secrets, client.clientSecret, client.clientSecretField);
    // Whatever it looks like: a provider may repeat it.
    held.holdAllIn(JSON.stringify({ clientSecret: secret.reveal() }));
    bearers ??= await openBearers(client);
    bearers.begin(secret);
    // Before anything else is done: a run without a token does nothing.
    return await bearers.bearer().catch((cause: unknown) => {
      const Kind = isClientRefused(cause) ? RefusedClientError : ManagementTokenError;
      throw new Kind('there is no token for the Management API', cause);
    });
  }

  async function ask(): Promise<FoundManagementToken> {
    if (given) {
      held.hold(given.reveal());
      return { value: given, by: 'hand' };
    }
    if (cluster.oauth) {
      const value = await beginBearers(cluster.oauth);
      return { value, by: 'identity provider', refused: () => bearers?.refused(value) };
    }
    const stored = await readManagementToken(secrets, managementSecret(cluster));
    held.hold(stored.value.reveal());
    return { ...stored, by: 'secret' };
  }

  return {
    async find() {
      found = await ask();
      return found;
    },
    bearer: () => bearers?.bearer() ?? found.value,
    another: async (refused) => bearers?.another(refused),
    refusal(token) {
      const { oauth } = cluster;
      if (given) return `the cluster refuses the management token ${IN_HAND}; ${ANOTHER_IN_HAND}`;
      if (!oauth || !bearers) {
        return `the cluster refuses the management token in ${managementSecret(cluster)}; influxctl management create makes another`;
      }
      const { origin, pathname } = new URL(oauth.tokenUrl);
      const { found: what, advice } = bearers.refused(token);
      return `the cluster refuses the token of the client ${oauth.clientId} from ${origin}${pathname}: ${what}; ${advice}`;
    },
    mark: () => markOf(found),
    disconnect: async () => bearers?.disconnect(),
  };
}

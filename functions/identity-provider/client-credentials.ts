import { rootCertificates } from 'node:tls';
import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  clientCredentialsGrantRequest,
  customFetch,
  processClientCredentialsResponse,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import type { createConnections } from '../management-api/connections.ts';
import type { Answer } from '../management-api/exchange.ts';
import { retry, type Timing } from '../retry.ts';
import { TokenValue } from '../token-value.ts';
import { TooLateError, within } from '../within.ts';
import { claimsIn } from './claims.ts';
import type { Client } from './oauth-client.ts';
import {
  answeredError,
  IdentityProviderError,
  noAnswerError,
  refusedError,
  unfitAnswerError,
} from './provider-error.ts';

export interface IdentityProviderOptions extends Timing {
  readonly client: Client;
  /** PEM of certificate authorities to trust beside the public ones: the cluster's, since a provider is often a public one. */
  readonly ca?: string | undefined;
  /** The instant by which the present run must end. */
  readonly deadline: () => number;
  /** Makes what requests go over. A parameter, since this file is a bundle of its own and that one is in every bundle. */
  readonly connect: typeof createConnections;
}

/** What an identity provider gave, and for how long. */
export interface Grant {
  readonly value: TokenValue;
  /** Reckoned from when it was asked for. */
  readonly lifeMs: number;
}

/** The longest wait for a whole answer. */
const PATIENCE_MS = 10_000;
/** A token has a few KB; with all groups of somebody, some more. */
const MAX_BYTES = 256 * 1024;
/** RFC 6749, section 5.1: a provider should say how long a token lives, and need not. */
const UNKNOWN_LIFE_MS = 60_000;
/** Nothing is gained by keeping one for longer. */
const LONGEST_LIFE_MS = 86_400_000;
/** What a header may have. */
const HEADER = /^[!-~]+$/;

/** The end of a JWT, in milliseconds since 1970, as it says itself. Undefined: it says none, or is none. */
function endOf(token: string): number | undefined {
  const { exp } = claimsIn(token) ?? {};
  return typeof exp === 'number' ? exp * 1_000 : undefined;
}

/** Undefined: it is none. */
function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? { ...parsed }
      : undefined;
  } catch {
    return undefined;
  }
}

/** What is used of a token's answer: whatever else is in it, such as a `refresh_token`, may be as it likes. */
function usedOf(text: string): string {
  const given = objectIn(text);
  if (!given) return text;
  const { access_token, token_type, expires_in } = given;
  return JSON.stringify({ access_token, token_type, ...(expires_in !== null && { expires_in }) });
}

/** Why a success is none, in our own words: the provider's may have a token in them. */
function lackOf({ headers, text }: Answer): string {
  const given = objectIn(text);
  if (!given) return 'something that is no JSON object';
  const { access_token, token_type } = given;
  if (!/^application\/json\b/i.test(`${headers['content-type']}`)) {
    return 'JSON whose content-type is not application/json';
  }
  if (typeof access_token !== 'string' || access_token === '') return 'no access_token';
  if (typeof token_type !== 'string' || token_type === '') {
    return 'no token_type beside its access_token';
  }
  if (token_type.toLowerCase() !== 'bearer') return 'a token of another type than Bearer';
  return 'an expires_in that is no number of seconds';
}

function responseOf({ status, headers, text }: Answer): Response {
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, each]),
  );
  const hasNone = status === 204 || status === 205 || status === 304;
  const body = status === 200 ? usedOf(text) : text;
  return new Response(hasNone ? null : body, { status, headers: pairs });
}

/** Asks an identity provider for tokens: OAuth 2, client credentials (RFC 6749, section 4.4). */
export function createIdentityProvider(options: IdentityProviderOptions) {
  const { client, ca, now, deadline } = options;
  const url = new URL(client.tokenUrl);
  const connections = options.connect({
    origin: url.origin,
    ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
    connections: 1,
    totalMs: PATIENCE_MS,
    maxBytes: MAX_BYTES,
  });
  // Its issuer is that of other grants: nothing in this one is compared with it.
  const server = { issuer: url.origin, token_endpoint: client.tokenUrl };
  const asking = { client_id: client.clientId };
  const authenticate = client.authMethod === 'basic' ? ClientSecretBasic : ClientSecretPost;
  const parameters = {
    ...client.parameters,
    ...(client.scope !== undefined && { scope: client.scope }),
    ...(client.audience !== undefined && { audience: client.audience }),
  };

  async function ask(body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const patienceMs = Math.min(PATIENCE_MS, deadline() - now());
    if (patienceMs <= 0) throw new TooLateError(`the request to ${url.host}`);
    const sent = { method: 'POST', path: url.pathname + url.search, headers, body };
    return await within(patienceMs, (signal) => connections.exchange(sent, patienceMs, signal));
  }

  async function once(secret: TokenValue): Promise<Grant> {
    const from = now();
    let answer: Answer | undefined;
    try {
      const response = await clientCredentialsGrantRequest(
        server,
        asking,
        authenticate(secret.reveal()),
        parameters,
        {
          // The policy allows it on this machine alone.
          [allowInsecureRequests]: url.protocol === 'http:',
          [customFetch]: async (_url, { body, headers }) => {
            answer = await ask(`${body}`, { ...headers, 'user-agent': 'keyturn' });
            return responseOf(answer);
          },
        },
      );
      const given = await processClientCredentialsResponse(server, asking, response);
      return grantOf(given, Date.parse(`${answer?.headers.date}`) || from);
    } catch (error) {
      // Never with a cause: the library's has the whole answer in it.
      throw answer ? errorOf(error, answer) : noAnswerError(client, error);
    }
  }

  function grantOf(
    given: {
      readonly access_token: string;
      readonly token_type: string;
      readonly expires_in?: number | undefined;
    },
    at: number,
  ): Grant {
    const { access_token: token, token_type: type, expires_in: seconds } = given;
    if (type !== 'bearer') throw unfitAnswerError(client, 'a token of another type than Bearer');
    if (!HEADER.test(token)) throw unfitAnswerError(client, 'a token that no header can bear');
    const end = endOf(token);
    const saidMs = seconds === undefined ? undefined : seconds * 1_000;
    // By the provider's clock, as the end is.
    const lifeMs = saidMs ?? (end === undefined ? UNKNOWN_LIFE_MS : end - at);
    if (!(lifeMs > 0)) throw unfitAnswerError(client, 'a token that has expired already');
    return { value: new TokenValue(token), lifeMs: Math.min(lifeMs, LONGEST_LIFE_MS) };
  }

  function errorOf(error: unknown, answer: Answer): IdentityProviderError {
    if (error instanceof IdentityProviderError) return error;
    if (error instanceof ResponseBodyError) return refusedError(client, answer, error.error);
    if (error instanceof WWWAuthenticateChallengeError || answer.status !== 200)
      return answeredError(client, answer);
    return unfitAnswerError(client, lackOf(answer));
  }

  return {
    /**
     * @param attempts how often it is asked if it does not answer, or is in trouble
     * @throws IdentityProviderError
     */
    grant: (secret: TokenValue, attempts: number): Promise<Grant> =>
      retry(() => once(secret), {
        ...options,
        retryable: (error) => error instanceof IdentityProviderError && error.retryable,
        attempts,
        baseMs: 500,
        maxMs: 4_000,
        deadline: deadline(),
      }),
    disconnect: connections.disconnect,
  };
}

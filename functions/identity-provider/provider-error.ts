import { redact } from '../credentials.ts';
import type { Answer } from '../management-api/exchange.ts';
import { TooLateError } from '../within.ts';
import type { Client } from './oauth-client.ts';

/** An identity provider gave no token. It quotes nothing that the provider said. */
export class IdentityProviderError extends Error {
  override readonly name = 'IdentityProviderError';
  /** The same request may succeed later: nobody answered, or the answer says so. */
  readonly retryable: boolean;
  /** The provider refuses the client, and no waiting mends that. */
  readonly isRefusal: boolean;

  constructor(message: string, retryable = false, isRefusal = false) {
    super(redact(message));
    this.retryable = retryable;
    this.isRefusal = isRefusal;
  }
}

type Asked = Pick<Client, 'tokenUrl' | 'clientId' | 'clientSecret' | 'authMethod'>;

const nameOf = ({ tokenUrl }: Asked) => `the identity provider ${new URL(tokenUrl).host}`;

/** What to do, by the codes that RFC 6749 (section 5.2) and RFC 8707 define. A provider may put anything in their place. */
const ADVICE: Readonly<Record<string, (client: Asked) => string>> = {
  access_denied: () =>
    'allow the client the API that cluster.oauth.audience names, or correct the name',
  invalid_client: ({ clientSecret, authMethod }) =>
    `put the client's present secret into ${clientSecret}, or correct cluster.oauth.clientId; a provider that takes it in another place needs cluster.oauth.authMethod: ${authMethod === 'post' ? 'basic' : 'post'}`,
  invalid_grant: () => 'correct cluster.oauth.clientId',
  invalid_request: () =>
    'correct what it misses or does not know: cluster.oauth.scope, audience or parameters',
  invalid_scope: () => 'correct cluster.oauth.scope, or allow the client that scope',
  invalid_target: () => 'correct cluster.oauth.audience, or its parameter resource',
  server_error: () => 'see its log',
  temporarily_unavailable: () => 'the next run asks again',
  unauthorized_client: () => 'allow the client the grant of client credentials',
  unsupported_grant_type: () =>
    'correct cluster.oauth.tokenUrl, or allow the client the grant of client credentials',
};

/** It answered as OAuth says that it refuses. */
export function refusedError(client: Asked, { status }: Answer, code: string) {
  const advice = Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined;
  const said = advice ? code : 'a code that OAuth does not define';
  const what = advice?.(client) ?? 'see its log';
  const isPassing = isTrouble(status) || PASSING.includes(code);
  return new IdentityProviderError(
    `${nameOf(client)} refuses the client ${client.clientId}, whose secret is in ${client.clientSecret}: ${said} (${status}); ${what}`,
    isPassing,
    // What another code means, only that provider knows; 401 says it by itself.
    (advice !== undefined || status === 401) && !isPassing,
  );
}

/** Trouble by a code, whatever the status. */
const PASSING = ['server_error', 'temporarily_unavailable'];

const isTrouble = (status: number) => status === 429 || status >= 500;

/** It, or a proxy before it, answered in another way. */
export function answeredError(client: Asked, { status }: Answer) {
  const said = `${nameOf(client)} answered ${status} to the client ${client.clientId}`;
  if (status === 401 || status === 403) {
    return new IdentityProviderError(
      `${said}, whose secret is in ${client.clientSecret}: it${status === 403 ? ', or a proxy before it,' : ''} refuses the client; ${ADVICE.invalid_client?.(client)}`,
      false,
      status === 401,
    );
  }
  return isTrouble(status)
    ? new IdentityProviderError(`${said}; the next run asks again`, true)
    : new IdentityProviderError(
        `${said}, expected a token; write the address of its token endpoint into cluster.oauth.tokenUrl`,
      );
}

/** It answered with a success that is none. */
export const unfitAnswerError = (client: Asked, found: string) =>
  new IdentityProviderError(
    `${nameOf(client)} answered with ${found}, expected a bearer token as RFC 6749, section 5.1, describes; correct cluster.oauth.tokenUrl, or the client ${client.clientId} there`,
  );

/** Waiting does not repair a certificate. */
const LASTING = /CERT|SIGNATURE|UND_ERR_INVALID|EXCEEDED/;

/** Nobody answered, or not in time. */
export function noAnswerError(client: Asked, error: unknown) {
  if (error instanceof TooLateError) {
    return new IdentityProviderError(
      `${nameOf(client)} was not asked: the time of the run is over`,
    );
  }
  const { name, code = name } = Object(error) as { code?: string; name?: string };
  const isLasting = LASTING.test(`${code}`);
  const advice = /CERT|SIGNATURE/.test(`${code}`)
    ? 'cluster.ca names who is trusted beside the public authorities'
    : 'check cluster.oauth.tokenUrl, and that the functions have a route to it';
  return new IdentityProviderError(
    `${nameOf(client)} did not answer the client ${client.clientId}: ${code}; ${advice}`,
    !isLasting,
  );
}

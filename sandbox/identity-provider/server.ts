import { createHash, type KeyObject, randomBytes } from 'node:crypto';
import fastify from 'fastify';
import type { Respond } from '../asked.ts';
import type { Clock } from '../clock.ts';
import { type Interceptor, passThrough, type Reply } from '../interception.ts';
import { makeJwt, makeKeys } from './jwt.ts';

/** In what an identity provider may differ from another, or what ails it. By default it says all that OAuth knows. */
export interface ProviderManners {
  /** How long its tokens live: five minutes, as Keycloak's. */
  readonly lifeMs?: number;
  /** The answer says how long the token lives, in `expires_in`; `as text`: in quotes. */
  readonly saysLife?: boolean | 'as text';
  /** The answer has a `token_type`, which OAuth requires. */
  readonly saysType?: boolean;
  /** Tokens are random strings, as Auth0's are without an audience. */
  readonly isOpaque?: boolean;
  /** Claims of its tokens beside the usual ones, or in their place: `oid` of Entra. Undefined: such a claim is left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The client's secret is taken in the body of a request (`post`) or in its header (`basic`) alone. */
  readonly takes?: 'post' | 'basic';
  /** A refusal has a challenge (WWW-Authenticate) and no body, or a body with a code. */
  readonly refusesBy?: 'challenge' | 'code';
  /** What it answers to everything. */
  readonly ailment?: 'page' | 'redirect' | 'garbage' | 'echo' | 'silence' | 'reset';
}

export interface ProviderOptions {
  readonly clock: Clock;
  /** Any free one by default. */
  readonly port?: number;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly manners?: ProviderManners;
  readonly intercept?: Interceptor;
  /** Must return a different string at every call. */
  readonly random?: () => string;
}

/** An identity provider that knows one client, a machine (RFC 6749, section 4.4). */
export interface IdentityProvider {
  readonly url: string;
  /** Where it gives tokens. */
  readonly tokenUrl: string;
  readonly clientId: string;
  /** The id of the client's own user, which a cluster is told of. */
  readonly subject: string;
  /** By which a cluster checks its tokens. */
  readonly key: KeyObject;
  /** These may be changed at any time. */
  clientSecret: string;
  manners: ProviderManners;
  intercept: Interceptor;
  /** The tokens that it gave, oldest first. */
  readonly given: readonly string[];
  /** How often it was asked. */
  readonly asked: number;
  respond: Respond;
  close(): Promise<void>;
}

const PATH = '/realms/machines/protocol/openid-connect/token';

const json = (status: number, body: object): Reply => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
});

const formDecoded = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));

/** The client and its secret, wherever they stand. */
function credentialsIn(authorization: string | undefined, form: URLSearchParams) {
  if (authorization === undefined) {
    return { by: 'post', id: form.get('client_id'), secret: form.get('client_secret') };
  }
  const [id = '', secret = ''] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
    .toString()
    .split(':');
  return { by: 'basic', id: formDecoded(id), secret: formDecoded(secret) };
}

/** One that listens nowhere: whoever knows its name asks it by `respond`. */
export function createIdentityProvider(options: ProviderOptions): IdentityProvider {
  const { clock, random = () => randomBytes(64).toString('hex') } = options;
  const { privateKey, publicKey } = makeKeys();
  const given: string[] = [];
  let asked = 0;
  /** As long as those of Keycloak, Auth0 and Entra, and with characters that forms encode. */
  const makeSecret = () =>
    `${createHash('sha512').update(random()).digest('base64').slice(0, 40)}+/~=`;

  const refuse = (code: string): Reply =>
    provider.manners.refusesBy === 'challenge'
      ? { status: 401, headers: { 'www-authenticate': `Bearer error="${code}"` }, body: '' }
      : json(code === 'invalid_client' ? 401 : 400, {
          error: code,
          error_description: 'Invalid client or Invalid client credentials',
        });

  function give(form: URLSearchParams): Reply {
    const { lifeMs = 300_000, saysLife = true, saysType = true, isOpaque } = provider.manners;
    const iat = Math.floor(clock.now() / 1_000);
    const lifeSeconds = Math.round(lifeMs / 1_000);
    const claims = {
      iss: provider.url,
      sub: provider.subject,
      azp: provider.clientId,
      jti: random(),
      iat,
      exp: iat + lifeSeconds,
      ...(form.get('scope') && { scope: String(form.get('scope')) }),
      ...(form.get('audience') && { aud: String(form.get('audience')) }),
      ...provider.manners.claims,
    };
    const token = isOpaque
      ? createHash('sha512').update(random()).digest('base64url')
      : makeJwt(claims, privateKey);
    given.push(token);
    return json(200, {
      access_token: token,
      ...(saysType && { token_type: 'Bearer' }),
      ...(saysLife && { expires_in: saysLife === 'as text' ? `${lifeSeconds}` : lifeSeconds }),
    });
  }

  function answer(authorization: string | undefined, body: string): Reply | 'reset' {
    const { ailment, takes } = provider.manners;
    const form = new URLSearchParams(body);
    switch (ailment) {
      case 'page':
        return {
          status: 503,
          headers: { 'content-type': 'text/html' },
          body: '<html><body><h1>503 Service Unavailable</h1></body></html>',
        };
      case 'redirect':
        return { status: 302, headers: { location: 'https://login.example.com/' }, body: '' };
      case 'garbage':
        return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"access' };
      case 'echo': // of all that it was sent, with a token beside it
        return json(400, {
          error: body,
          error_description: authorization ?? body,
          ...claimsOf(give(form)),
        });
      case 'reset':
        return 'reset';
      default:
    }
    const { by, id, secret } = credentialsIn(authorization, form);
    const isKnown = id === provider.clientId && secret === provider.clientSecret;
    if (!isKnown || (takes !== undefined && takes !== by)) return refuse('invalid_client');
    if (form.get('grant_type') !== 'client_credentials') return refuse('unsupported_grant_type');
    return give(form);
  }

  const claimsOf = ({ body }: Reply): object => JSON.parse(body);

  const provider: IdentityProvider = {
    url: 'http://127.0.0.1:8087',
    get tokenUrl() {
      return `${provider.url}${PATH}`;
    },
    clientId: options.clientId ?? 'keyturn',
    subject: '5f0ad5d4-7f0c-4c39-9f5b-3a4b0f6f9f10',
    key: publicKey,
    clientSecret: options.clientSecret ?? makeSecret(),
    manners: options.manners ?? {},
    intercept: options.intercept ?? passThrough,
    given,
    get asked() {
      return asked;
    },
    async respond({ method, url, headers, body }) {
      asked += 1;
      if (method !== 'POST' || url !== PATH) return { status: 404, body: 'not found' };
      if (provider.manners.ailment === 'silence') return new Promise<never>(() => {});
      const { 'x-sandbox-caller': caller, authorization } = headers;
      const call = {
        server: 'identity-provider',
        operation: 'POST /token',
        caller: Array.isArray(caller) ? caller[0] : caller,
      } as const;
      let isReset = false;
      const reply = await provider.intercept(call, () => {
        const answered = answer(authorization, body.toString());
        isReset = answered === 'reset';
        return answered === 'reset' ? { status: 500, body: '' } : answered;
      });
      if (reply === 'reset' || isReset) return 'reset';
      const date = new Date(clock.now()).toUTCString();
      return { ...reply, headers: { date, ...reply.headers } };
    },
    close: () => Promise.resolve(),
  };
  return provider;
}

/** One that listens on a loopback address. */
export async function startIdentityProvider(options: ProviderOptions): Promise<IdentityProvider> {
  const provider = createIdentityProvider(options);
  const app = fastify({ forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.all('*', async (request, reply) => {
    const { method, url, headers, body } = request;
    const answer = await provider.respond({
      method,
      url,
      headers,
      body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
      connection: request.raw.socket,
    });
    if (answer === 'reset') {
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    return reply
      .status(answer.status)
      .headers(answer.headers ?? {})
      .send(answer.body);
  });
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  // A getter stays one: its address is read when it is asked for.
  return Object.defineProperties(provider, {
    url: { value: url },
    close: { value: () => app.close() },
  });
}

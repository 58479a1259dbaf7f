import { readDatabases } from '../management-api/database-schemas.ts';
import type { Answer, Request } from '../management-api/exchange.ts';
import type { InfluxError } from '../management-api/influx-error.ts';
import type { MintedToken } from '../management-api/management-api.ts';
import { accountPrefix, CLUSTERED_PREFIXES } from '../management-api/prefix.ts';
import type { Reader } from '../management-api/reader.ts';
import type { Permission, Token } from '../management-api/token.ts';
import { readMintedToken, readToken, readTokens } from '../management-api/token-schemas.ts';
import { retry } from '../retry.ts';
import type { MeasureTools } from '../run/look-tools.ts';

/** What was answered. `status` is absent if nobody answered; `problem` says, for people, what an answer that is no success was. */
export interface Said {
  readonly status?: number | undefined;
  readonly text: string;
  /** A proxy wrote it, and not the Management API. */
  readonly isForeign: boolean;
  readonly problem?: string;
}

/** By its name: the transport is of another bundle, which has a class of its own. */
export const isInfluxError = (error: unknown): error is InfluxError =>
  error instanceof Error && error.name === 'InfluxError';

/** The measurement cannot go on, or must not begin. */
export class MeasurementError extends Error {
  override readonly name = 'MeasurementError';
}

export const isSuccess = ({ status = 0 }: Said): boolean => status >= 200 && status < 300;

/** The answer says how the server is, and nothing of what was asked. */
export const isTroubled = ({ status }: Said): boolean =>
  status === undefined || status === 429 || status >= 500;

/** Nobody knows whether what was asked was done. */
export const mayBeDone = (said: Said): boolean => isTroubled(said) && said.status !== 429;

/** The Management API, whose every answer is told as it is. */
export interface Cluster {
  /** One request; the path is what comes after the prefix. */
  say(method: Request['method'], path: string, body?: object): Promise<Said>;
  /** The same, repeated while the server is in trouble; each time is told. */
  insist(
    method: Request['method'],
    path: string,
    body?: object,
    until?: number,
    onTrouble?: (said: Said) => void,
  ): Promise<Said>;
  tokens(): Promise<readonly Token[]>;
  databases(): Promise<readonly { readonly name: string }[]>;
  /** Undefined: it is not there. */
  token(id: string): Promise<Token | undefined>;
  /** Repeated like others: a token that was made all the same has the description, too. */
  mint(
    description: string,
    permissions: readonly Permission[],
    expiresAt: string,
    onTrouble: (said: Said) => void,
  ): Promise<MintedToken>;
}

const told = ({ status, text }: Answer): Said => ({ status, text, isForeign: false });

const refused = ({ status, serverMessage = '', foreignBody, message }: InfluxError): Said => ({
  status,
  text: serverMessage,
  isForeign: foreignBody,
  problem: message,
});

class Unsettled extends Error {
  readonly said: Said;

  constructor(said: Said) {
    super(said.problem);
    this.said = said;
  }
}

/**
 * @param until no request is repeated after this instant
 * @throws MeasurementError if there is no management token, or no Management API
 */
export async function openCluster(tools: MeasureTools, until: number): Promise<Cluster> {
  const { policy, send } = tools;
  const { accountId, clusterId } = policy.cluster;
  const first = await tools.managementToken();
  // An identity provider's may live for less time than a measurement takes, and is renewed.
  const bearer = async () =>
    first.by === 'identity provider' ? (await tools.managementToken()).value : first.value;

  const ask = async (path: string, method: Request['method'], body?: object) =>
    await send('managementApi', {
      method,
      path,
      token: await bearer(),
      ...(body && { body: JSON.stringify(body) }),
    });
  const sayTo = async (path: string, method: Request['method'], body?: object): Promise<Said> => {
    try {
      return told(await ask(path, method, body));
    } catch (error) {
      if (!isInfluxError(error)) throw error;
      return refused(error);
    }
  };
  const isElsewhere = async (prefix: string) =>
    (await sayTo(`${prefix}/databases`, 'GET')).status === 404;
  const [bare, prefixed] = CLUSTERED_PREFIXES;
  const prefix =
    accountId && clusterId
      ? accountPrefix(accountId, clusterId)
      : (await isElsewhere(bare))
        ? prefixed
        : bare;

  const say: Cluster['say'] = (method, path, body) => sayTo(`${prefix}${path}`, method, body);

  const insist: Cluster['insist'] = async (method, path, body, last = until, onTrouble) => {
    const attempt = async () => {
      const said = await say(method, path, body);
      if (!isTroubled(said)) return said;
      onTrouble?.(said);
      throw new Unsettled(said);
    };
    const { now, sleep, random } = tools;
    const how = { now, sleep, random, attempts: 4, baseMs: 500, maxMs: 5_000, deadline: last };
    try {
      return await retry(attempt, { ...how, retryable: (error) => error instanceof Unsettled });
    } catch (error) {
      if (error instanceof Unsettled) return error.said;
      throw error;
    }
  };

  const read = <T>(what: string, said: Said, reader: Reader<T>): T => {
    if (!isSuccess(said)) throw new MeasurementError(said.problem ?? `${what} failed`);
    const found = reader(said.text);
    if ('problem' in found)
      throw new MeasurementError(`${what} was answered, but ${found.problem}`);
    return found.value;
  };

  return {
    say,
    insist,
    tokens: async () => read('GET /tokens', await insist('GET', '/tokens'), readTokens),
    databases: async () => read('GET /databases', await insist('GET', '/databases'), readDatabases),
    async token(id) {
      const said = await insist('GET', `/tokens/${id}`);
      if (said.status === 404 && !said.isForeign) return undefined;
      return read('GET /tokens/{id}', said, readToken);
    },
    mint: async (description, permissions, expiresAt, onTrouble) => {
      const body = { description, permissions, expiresAt };
      const said = await insist('POST', '/tokens', body, until, onTrouble);
      return read('POST /tokens', said, readMintedToken);
    },
  };
}

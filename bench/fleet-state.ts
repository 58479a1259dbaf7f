import { createHash } from 'node:crypto';
import { TokenValue } from '../functions/token-value.ts';
import { describeToken, homeOf, parseMarker } from '../functions/tokens/marker.ts';
import type { AwsState, Secret } from '../sandbox/aws/state.ts';
import type { StoredToken } from '../sandbox/cluster/state.ts';

/** A token and its secret, as one run made them. */
export interface Issued {
  readonly token: StoredToken;
  readonly secret: Secret;
  /** Of the cluster, as the secret has it. */
  readonly url: string;
}

export const FIRST = 'token-0';
export const namesOf = (tokens: number): readonly string[] =>
  Array.from({ length: tokens }, (_, index) => `token-${index}`);

const digest = (algorithm: string, text: string) => createHash(algorithm).update(text).digest();

function uuidOf(name: string): string {
  const hex = digest('sha256', name).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The same token as it would be in another entry: issuing each by a run takes a hundred probes. */
function copyOf({ token, secret, url }: Issued, name: string, toUrl: string): Issued {
  const id = uuidOf(name);
  const text = `apiv1_${digest('sha512', name).toString('base64')}`;
  const { token: from } = JSON.parse(Object.values(secret.versions)[0]?.secretString ?? '{}');
  const inCopy = (json: string) =>
    json
      .replaceAll(JSON.stringify(from).slice(1, -1), text)
      .replaceAll(token.id, id)
      .replaceAll(FIRST, name)
      .replaceAll(url, toUrl);
  const copied = JSON.parse(inCopy(JSON.stringify(secret))) as Secret;
  const found = parseMarker(token.description);
  if (!found) throw new Error(`the token of ${secret.name} has no marker`);
  const description = describeToken(found.text.replaceAll(FIRST, name), {
    ...found.marker,
    secret: copied.name,
    home: homeOf(copied.arn),
    id,
    fp: new TokenValue(text).fingerprint(),
  });
  const stored = { ...structuredClone(token), id, description };
  return {
    token: { ...stored, sha512: digest('sha512', text).toString('hex') },
    secret: copied,
    url: toUrl,
  };
}

/** What a fleet consists of: one token and one secret for each name. */
export const fleetOf = (issued: Issued, names: readonly string[], url = issued.url): Issued[] =>
  names.map((name) => copyOf(issued, name, url));

/** The account with these secrets beside what is in it. */
export function withSecrets(state: AwsState, secrets: readonly Secret[]): AwsState {
  const byName = Object.fromEntries(secrets.map((secret) => [secret.name, secret]));
  const history = Object.fromEntries(
    secrets.map((secret) => [secret.name, [{ at: secret.createdAt, secret }]]),
  );
  return {
    ...state,
    secrets: { ...state.secrets, ...byName },
    history: { ...state.history, ...history },
  };
}

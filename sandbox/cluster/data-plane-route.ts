import type { IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Reply } from '../interception.ts';
import { Refusal } from './refusal.ts';
import type { World } from './state.ts';

export interface DataPlaneRequest {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface DataPlaneRoute {
  readonly methods: readonly ('GET' | 'HEAD' | 'POST')[];
  readonly path: string;
  readonly answer: (request: DataPlaneRequest, world: World) => Reply;
}

/**
 * The token of a request: `Bearer T`, `Token T` (exact case, one space), `Basic` with any user
 * name, or on the version 1 endpoints `p=T` (influxdata/influxdb3_core: authz).
 */
export function tokenOf(
  { headers, query }: DataPlaneRequest,
  { version1 }: { readonly version1: boolean },
): string | undefined {
  const [scheme, credentials = '', ...rest] = headers.authorization?.split(' ') ?? [];
  if (credentials && rest.length === 0) {
    if (scheme === 'Bearer' || scheme === 'Token') return credentials;
    if (scheme === 'Basic') {
      const decoded = Buffer.from(credentials, 'base64').toString('utf8');
      return decoded.slice(decoded.indexOf(':') + 1) || undefined;
    }
  }
  return (version1 && query.get('p')) || undefined;
}

function decode(body: Buffer, zipped: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(zipped ? gunzipSync(body) : body);
  } catch {
    return undefined;
  }
}

/** The text of a body, unzipped if it is gzip. Throws `Refusal`. */
export function textOf({ headers, body }: DataPlaneRequest): string {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'gzip' && encoding !== 'identity') {
    throw new Refusal(415, `content-encoding ${encoding} is not supported`);
  }
  const text = decode(body, encoding === 'gzip');
  if (text === undefined) throw new Refusal(400, `body is not valid ${encoding} UTF-8`);
  return text;
}

import type { Reply } from '../interception.ts';
import { type DataPlaneRequest, type DataPlaneRoute, textOf, tokenOf } from './data-plane-route.ts';
import { authorise } from './grants.ts';
import { ingest } from './ingest.ts';
import { parseLineProtocol } from './line-protocol.ts';
import { Refusal } from './refusal.ts';
import { findActive, type World } from './state.ts';

const CODES: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not found',
  405: 'method not allowed',
  413: 'request too large',
  415: 'unsupported media type',
};

/** The data plane's form of an error: its code is a word, not the status. */
export const dataPlaneError = (status: number, message: string): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code: CODES[status] ?? 'internal error', message }),
});

const V2_UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
]);
/** Nanoseconds by unit of time, as version 1 spells them. */
export const V1_UNITS: ReadonlyMap<string, bigint> = new Map([
  ...V2_UNITS,
  ['n', 1n],
  ['u', 1_000n],
  ['µ', 1_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const NAME = /^[\p{Alphabetic}\p{N}_\-/]+$/u;

function requireName(name: string | null, parameter: string): string {
  if (!name) throw new Refusal(400, `no ${parameter} destination provided`);
  if (!NAME.test(name) || Buffer.byteLength(name) > 64) {
    throw new Refusal(400, `invalid ${parameter} name ${name}`);
  }
  return name;
}

/** Version 1 also names a retention policy; the database's name contains both, joined by a slash. */
export function databaseOfDbrp(query: URLSearchParams): string | null {
  const [db, rp] = [query.get('db'), query.get('rp')];
  return db && rp && rp !== 'autogen' ? `${db}/${rp}` : db;
}

/**
 * Authorises before it reads the body; an empty body needs no database (influxdata/influxdb, IOx of
 * 2023: router/src/server/http.rs).
 */
function write(request: DataPlaneRequest, world: World, version1: boolean): void {
  const { query } = request;
  const name = version1
    ? requireName(databaseOfDbrp(query), 'db')
    : requireName(query.get('bucket'), 'bucket');
  const precision = query.get('precision') || 'ns';
  const scale = (version1 ? V1_UNITS : V2_UNITS).get(precision);
  if (scale === undefined) throw new Refusal(400, `invalid precision ${precision}`);

  const token = tokenOf(request, { version1 });
  const { unknown, forbidden } = world.manners.refusals ?? {};
  if (token === undefined) throw new Refusal(401, 'authentication required');
  const verdict = authorise(token, 'write', name, world);
  if (verdict === 'invalid') throw new Refusal(unknown?.write ?? 401, 'authentication required');
  if (verdict === 'not permitted') throw new Refusal(forbidden?.write ?? 403, 'access denied');

  const points = parseLineProtocol(textOf(request), scale, BigInt(world.now) * 1_000_000n);
  if (points.length === 0) return;
  const database = findActive(world.state.databases, name);
  if (!database) throw new Refusal(404, `dml handler error: namespace ${name} does not exist`);
  ingest(database, points, world);
}

const writeRoute = (path: string, version1: boolean): DataPlaneRoute => ({
  methods: ['POST'],
  path,
  answer: (request, world) => {
    try {
      write(request, world, version1);
      return { status: 204, body: '' };
    } catch (error) {
      if (error instanceof Refusal) return dataPlaneError(error.status, error.message);
      throw error;
    }
  },
});

export const writeRoutes: readonly DataPlaneRoute[] = [
  writeRoute('/api/v2/write', false),
  writeRoute('/write', true),
  {
    methods: ['POST'],
    path: '/api/v3/write_lp',
    // Only Core and Enterprise have it; the official client explains this answer to its user.
    answer: () => dataPlaneError(405, 'method not allowed'),
  },
];

import type { Reply } from '../interception.ts';
import { type DataPlaneRequest, type DataPlaneRoute, tokenOf } from './data-plane-route.ts';
import { authorise } from './grants.ts';
import { parseInfluxql, type Statement } from './influxql.ts';
import { InfluxqlError } from './influxql-tokens.ts';
import { stringifyJson } from './json.ts';
import { Refusal } from './refusal.ts';
import { type Series, select } from './select.ts';
import { show } from './show.ts';
import { findActive, type World } from './state.ts';
import { databaseOfDbrp, V1_UNITS } from './write.ts';

const SECOND = 1_000_000_000n;

const json = (status: number, value: unknown): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: stringifyJson(value),
});

/** RFC 3339 with as many digits as needed. */
function formatTime(time: bigint): string {
  const fraction = ((time % SECOND) + SECOND) % SECOND;
  const seconds = new Date(Number((time - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  const digits = `${fraction}`.padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${digits && `.${digits}`}Z`;
}

function render(series: Series, epoch: string | null): Series {
  if (series.columns[0] !== 'time') return series;
  const unit = epoch ? V1_UNITS.get(epoch) : undefined;
  const values = series.values.map(([time, ...others]) => [
    typeof time !== 'bigint' ? null : unit === undefined ? formatTime(time) : time / unit,
    ...others,
  ]) as Series['values'];
  return { ...series, values };
}

/** It says no more, whatever the reason. */
function refuse(verdict: 'invalid' | 'not permitted', { manners: { refusals } }: World): never {
  const kind = verdict === 'invalid' ? refusals?.unknown : refusals?.forbidden;
  throw new Refusal(kind?.read ?? 401, 'unauthorized access');
}

/** Those that the token may read. */
function showDatabases(token: string | undefined, world: World): readonly Series[] {
  // Whoever is known may ask, whatever it may read.
  if (token === undefined || authorise(token, 'read', '', world) === 'invalid') {
    return refuse('invalid', world);
  }
  const names = world.state.databases
    .filter(({ deletedAt }) => deletedAt === undefined)
    .map(({ name }) => name)
    .filter((name) => authorise(token, 'read', name, world) === 'granted');
  return [{ name: 'databases', columns: ['name'], values: names.map((name) => [name]) }];
}

/** The result of one statement. All failures except a refused token are an `error` with status 200. */
function run(
  statement: Statement,
  params: URLSearchParams,
  token: string | undefined,
  world: World,
) {
  const shows = 'show' in statement;
  if (shows && statement.show === 'databases') return { series: showDatabases(token, world) };
  const name = (shows && statement.on) || databaseOfDbrp(params);
  if (!name) {
    return {
      error: "must specify a 'db' parameter, or provide the database in the InfluxQL query",
    };
  }
  const verdict = token === undefined ? 'invalid' : authorise(token, 'read', name, world);
  if (verdict !== 'granted') return refuse(verdict, world);
  const database = findActive(world.state.databases, name);
  if (!database) return { error: `Database ${name} not found` };
  const series = shows
    ? show(statement, database, world.now)
    : select(statement, database, world.now);
  if (series.length === 0) return {};
  return { series: series.map((each) => render(each, params.get('epoch'))) };
}

function parameters({ query, headers, body }: DataPlaneRequest): URLSearchParams {
  const form = headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  const fromBody = form ? [...new URLSearchParams(body.toString('utf8'))] : [];
  return new URLSearchParams([...query, ...fromBody]);
}

/**
 * Parses before it checks the token, and answers 200 to what does not parse
 * (influxdata/influxdb3_core: iox_v1_query_api/src/handler.rs).
 */
function answer(request: DataPlaneRequest, world: World): Reply {
  const params = parameters(request);
  const q = params.get('q');
  if (q === null) {
    return json(400, { error: 'expected a query to be provided in the query string or body' });
  }
  try {
    const token = tokenOf(request, { version1: true });
    const results = parseInfluxql(q, world.now).map((statement, statement_id) => ({
      statement_id,
      ...run(statement, params, token, world),
    }));
    return json(200, { results });
  } catch (error) {
    if (error instanceof Refusal) return json(error.status, { error: error.message });
    if (!(error instanceof InfluxqlError)) throw error;
    const problem = `error in InfluxQL statement: parsing error: ${error.message}`;
    return json(200, { results: [{ statement_id: 0, error: problem }] });
  }
}

export const queryRoute: DataPlaneRoute = { methods: ['GET', 'POST'], path: '/query', answer };

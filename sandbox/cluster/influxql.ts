import { type Condition, readColumn, readCondition } from './influxql-condition.ts';
import { createReader, type Reader } from './influxql-reader.ts';
import { InfluxqlError } from './influxql-tokens.ts';

export interface SelectItem {
  /** `count`, `mean`, …; absent for a plain column. */
  readonly call?: string;
  /** Of a call, `*` means every field. */
  readonly column: string;
  readonly alias?: string;
}

/** A name, or what the names match. */
export type Pattern = string | RegExp;

interface Page {
  readonly limit: number;
  readonly offset: number;
}

export interface Select extends Page {
  /** Empty means all columns. */
  readonly items: readonly SelectItem[];
  readonly measurement: Pattern;
  readonly where?: Condition;
  readonly groupBy: {
    /** Nanoseconds; the windows begin at multiples of it. */
    readonly every?: bigint;
    readonly tags: readonly string[] | '*';
  };
  /** What a window without points has. */
  readonly fill: 'null' | 'none' | 'previous' | number;
  readonly descending: boolean;
}

export interface Show extends Page {
  readonly show:
    | 'databases'
    | 'retention policies'
    | 'measurements'
    | 'tag keys'
    | 'tag values'
    | 'field keys';
  /** The database, if it is not that of the request. */
  readonly on?: string;
  readonly measurement?: Pattern;
  /** The tags whose values are shown. */
  readonly keys?: readonly Pattern[];
  readonly where?: Condition;
}

export type Statement = Select | Show;

const CALLS = ['count', 'sum', 'mean', 'min', 'max', 'first', 'last'];
const SHOWN = [
  'databases',
  'retention policies',
  'measurements',
  'tag keys',
  'tag values',
  'field keys',
] as const;

/** A measurement, perhaps behind its retention policy; a database has only `autogen`. */
function readMeasurement(reader: Reader): Pattern {
  if (reader.peek().kind === 'pattern') return reader.pattern();
  const name = reader.identifier();
  if (!reader.accept('.')) return name;
  if (name !== 'autogen') throw new InfluxqlError(`retention policy not found: ${name}`);
  return readMeasurement(reader);
}

const readPage = (reader: Reader): Page => ({
  limit: reader.accept('limit') ? reader.count() : Infinity,
  offset: reader.accept('offset') ? reader.count() : 0,
});

function readItem(reader: Reader): SelectItem {
  const { kind } = reader.peek();
  const column = readColumn(reader);
  if (kind === 'quoted' || !reader.accept('(')) return { column, ...readAlias(reader) };
  const call = column.toLowerCase();
  if (!CALLS.includes(call)) throw new InfluxqlError(`undefined function ${call}()`);
  const argument = reader.accept('*') ? '*' : readColumn(reader);
  reader.expect(')');
  return { call, column: argument, ...readAlias(reader) };
}

const readAlias = (reader: Reader) => (reader.accept('as') ? { alias: reader.identifier() } : {});

function readGroupBy(reader: Reader): Select['groupBy'] {
  if (!reader.accept('group', 'by')) return { tags: [] };
  let every: bigint | undefined;
  const tags: string[] = [];
  let all = false;
  reader.list(() => {
    if (reader.accept('*')) all = true;
    else if (reader.accept('time', '(')) {
      every = reader.duration();
      reader.expect(')');
    } else tags.push(readColumn(reader));
  }, ',');
  return { ...(every && { every }), tags: all ? '*' : tags };
}

function readFill(reader: Reader): Select['fill'] {
  if (!reader.accept('fill', '(')) return 'null';
  const { kind, text } = reader.take(['word', 'number'], 'null, none, previous or a number');
  reader.expect(')');
  if (kind === 'number') return Number(text);
  return text === 'null' || text === 'none' || text === 'previous' ? text : reader.fail('a fill');
}

function readDescending(reader: Reader): boolean {
  if (!reader.accept('order', 'by')) return false;
  reader.expect('time');
  if (reader.accept('desc')) return true;
  reader.accept('asc');
  return false;
}

const readWhere = (reader: Reader, now: number) =>
  reader.accept('where') ? { where: readCondition(reader, now) } : {};

function readSelect(reader: Reader, now: number): Select {
  reader.expect('select');
  const items = reader.accept('*') ? [] : reader.list(() => readItem(reader), ',');
  if (new Set(items.map(({ call }) => call === undefined)).size > 1) {
    throw new InfluxqlError('mixing aggregate and non-aggregate queries is not supported');
  }
  reader.expect('from');
  return {
    items,
    measurement: readMeasurement(reader),
    ...readWhere(reader, now),
    groupBy: readGroupBy(reader),
    fill: readFill(reader),
    descending: readDescending(reader),
    ...readPage(reader),
  };
}

/** `= "host"`, `=~ /^h/`, `IN ("host", "room")` */
function readKeys(reader: Reader): readonly Pattern[] {
  if (reader.accept('=~')) return [reader.pattern()];
  if (reader.accept('=')) return [reader.identifier()];
  reader.expect('in');
  reader.expect('(');
  const keys = reader.list(reader.identifier, ',');
  reader.expect(')');
  return keys;
}

function readShow(reader: Reader, now: number): Show {
  const show = SHOWN.find((each) => reader.accept(...each.split(' '))) ?? reader.fail(`${SHOWN}`);
  return {
    show,
    ...(reader.accept('on') && { on: reader.identifier() }),
    ...(reader.accept('from') && { measurement: readMeasurement(reader) }),
    ...(reader.accept('with', 'measurement') && { measurement: readKeys(reader)[0] ?? '' }),
    ...(reader.accept('with', 'key') && { keys: readKeys(reader) }),
    ...readWhere(reader, now),
    ...readPage(reader),
  };
}

/** Parses the statements of a query; `now` in milliseconds. Throws `InfluxqlError`. */
export function parseInfluxql(text: string, now: number): Statement[] {
  const reader = createReader(text);
  const statement = () => (reader.accept('show') ? readShow(reader, now) : readSelect(reader, now));
  const statements: Statement[] = [statement()];
  while (reader.accept(';')) if (reader.peek().kind !== 'end') statements.push(statement());
  if (reader.peek().kind !== 'end') reader.fail('; or EOF');
  return statements;
}

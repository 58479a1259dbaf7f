import { parseExactJson } from '../../../functions/management-api/json.ts';
import { readNamedFile } from '../../../lib/named-file.ts';
import { CommandError } from '../failure.ts';

/** One resource, as Terraform or OpenTofu has it. Its values may be secret. */
export interface Resource {
  /** `module.plant.influxdb3_token.grafana["a"]` */
  readonly address: string;
  readonly type: string;
  /** `grafana`, or `grafana a`: for people. */
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What a state file, or the JSON of a state or a plan, says. */
export interface Resources {
  readonly existing: readonly Resource[];
  /** What a plan would make. */
  readonly planned: readonly Resource[];
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const EXPECTED =
  'expected a state file (terraform state pull > FILE), or what terraform show -json prints of a state or a plan';

const refuse = (found: string, advice = EXPECTED) =>
  new CommandError(`--from-terraform: ${found}, ${advice}. Nothing was written`);

/** Undefined: it is none. The parser's error would quote a state, which has token strings. */
function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

function jsonIn(file: string): Fields {
  const text = readNamedFile(
    file,
    (problem, cause) =>
      new CommandError(
        `--from-terraform: ${problem} ${file}, ${EXPECTED}, of at most 10 MB. Nothing was written`,
        { cause },
      ),
  );
  if (text.startsWith('PK'))
    throw refuse('found a plan in its own format', 'expected terraform show -json of it');
  const document = parsed(text);
  if (document === undefined) throw refuse(`found no JSON in ${file}`);
  return fieldsOf(document);
}

const indexed = (key: unknown) =>
  typeof key === 'string' ? `[${JSON.stringify(key)}]` : key === undefined ? '' : `[${key}]`;

const nameOf = (name: unknown, key: unknown) =>
  key === undefined || key === null ? textOf(name) : `${textOf(name)} ${key}`;

/** Format 4 of a state file, which Terraform has written since 0.12 and OpenTofu writes. */
const inState = (state: Fields): Resource[] =>
  listOf(state.resources)
    .map(fieldsOf)
    .filter(({ mode }) => mode === 'managed')
    .flatMap(({ type, name, module, instances }) =>
      listOf(instances)
        .map(fieldsOf)
        // One that is to be destroyed has been replaced by another.
        .filter(({ deposed }) => deposed === undefined)
        .map(({ index_key: key, attributes }) => ({
          address: `${module === undefined ? '' : `${module}.`}${type}.${name}${indexed(key)}`,
          type: textOf(type),
          name: nameOf(name, key),
          values: fieldsOf(attributes),
        })),
    );

/** The values of a state or a plan, as terraform show -json prints them. */
const inModule = (module: Fields): Resource[] => [
  ...listOf(module.resources)
    .map(fieldsOf)
    .filter(({ mode }) => mode === 'managed')
    .map(({ address, type, name, index, values }) => ({
      address: textOf(address),
      type: textOf(type),
      name: nameOf(name, index),
      values: fieldsOf(values),
    })),
  ...listOf(module.child_modules).flatMap((each) => inModule(fieldsOf(each))),
];

const inValues = (values: unknown) => inModule(fieldsOf(fieldsOf(values).root_module));

/**
 * The resources in a file that Terraform or OpenTofu wrote.
 * @throws CommandError if it is none, without a word of what is in it
 */
export function resourcesIn(file: string): Resources {
  const document = jsonIn(file);
  if ('encrypted_data' in document) {
    throw refuse('found an encrypted state', 'expected one in clear: tofu state pull');
  }
  if ('format_version' in document) {
    const prior = fieldsOf(document.prior_state).values ?? document.values;
    const existing = inValues(prior);
    const known = new Set(existing.map(({ address }) => address));
    const planned = inValues(document.planned_values).filter(({ address }) => !known.has(address));
    return { existing, planned };
  }
  if (!('version' in document)) throw refuse(`found other JSON in ${file}`);
  if (document.version !== 4) {
    throw refuse(
      'found a state in another format than 4',
      'expected one of Terraform 0.12 or later, or of OpenTofu',
    );
  }
  return { existing: inState(document), planned: [] };
}

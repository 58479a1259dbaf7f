import type { PartitionTemplatePart } from '../../../functions/management-api/database.ts';
import { GOVERNED_FIELDS, governedFields } from '../../../functions/policy/governed-fields.ts';
import { formatRetention, INFINITE_RETENTION } from '../../../functions/policy/retention.ts';
import { databaseName } from '../../../functions/policy/schemas/database-name.ts';
import { FIELD_SCHEMAS } from '../../../functions/policy/schemas/governed-fields.ts';
import { partitionTemplate } from '../../../functions/policy/schemas/partition-template.ts';
import { HOUR_MS } from '../../../functions/time.ts';
import type { FoundDatabase } from './found.ts';
import { comment, scalar } from './yaml-text.ts';

/** Databases of which a person should know something. */
export interface DatabaseFlags {
  /** Keeps data for ever. */
  readonly infinite: boolean;
  /** Keeps data for less than an hour. */
  readonly underAnHour: boolean;
  /** No rule can have its name. */
  readonly unnameable: boolean;
}

const HOUR_NS = BigInt(HOUR_MS) * 1_000_000n;

export const flagsOfDatabase = ({ name, retentionPeriod }: FoundDatabase): DatabaseFlags => ({
  infinite: retentionPeriod === INFINITE_RETENTION,
  underAnHour:
    retentionPeriod !== undefined &&
    retentionPeriod !== INFINITE_RETENTION &&
    retentionPeriod < HOUR_NS,
  unnameable: !databaseName.safeParse(name).success,
});

function partText(part: PartitionTemplatePart): string {
  if (part.type !== 'bucket') return `{ type: ${part.type}, value: ${scalar(part.value)} }`;
  const { tagName, numberOfBuckets } = part.value;
  return `{ type: bucket, value: { tagName: ${scalar(tagName)}, numberOfBuckets: ${numberOfBuckets} } }`;
}

/** It cannot be changed later: declared, it is what the database is made with where `ifMissing: create` is added. */
function templateLines({ partitionTemplate: parts }: FoundDatabase): string[] {
  if (parts === undefined) return [];
  return partitionTemplate.safeParse(parts).success
    ? ['    partitionTemplate:', ...parts.map((part) => `      - ${partText(part)}`)]
    : [comment('its partition template is one that no rule can say', '    ')];
}

/** A negative retention, which Terraform may have, has no spelling of a policy. */
const retentionText = (value: bigint): string => formatRetention(value) || `${value}ns`;

/** The fields as they are, so that nothing is changed; what no rule can say is left as it is. */
function fieldLines(database: FoundDatabase): string[] {
  return governedFields.flatMap((field) => {
    const { key, spell } = GOVERNED_FIELDS[field];
    const value = database[key];
    if (value === undefined) return [];
    const spelled = spell(value);
    const told = typeof value === 'bigint' ? retentionText(value) : spelled;
    return FIELD_SCHEMAS[field].safeParse(spelled).success
      ? [`    ${field}: ${spelled}`]
      : [comment(`${field} is ${told}, which no rule can say: it is left as it is`, '    ')];
  });
}

const notesOf = (
  { infinite, underAnHour }: DatabaseFlags,
  { retentionPeriod = 0n }: FoundDatabase,
) => [
  ...(infinite ? ['! keeps data for ever'] : []),
  ...(underAnHour ? [`! keeps data for ${retentionText(retentionPeriod)}, less than an hour`] : []),
];

/** The rule of one database: its fields as they are. */
export function ruleLines(database: FoundDatabase): string[] {
  const flags = flagsOfDatabase(database);
  if (flags.unnameable) {
    const { name } = database;
    return [
      comment(
        `! no rule can have the name ${JSON.stringify(name)}: this database is left as it is`,
        '  ',
      ),
    ];
  }
  const notes = notesOf(flags, database).map((note) => comment(note, '  '));
  const fields = [...fieldLines(database), ...templateLines(database)];
  return [...notes, `  - name: ${scalar(database.name)}`, ...fields];
}

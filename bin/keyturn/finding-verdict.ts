import type { PlanReport } from './answers.ts';
import type { StatusVerdict } from './status-verdict.ts';

export type Finding = PlanReport['plan']['findings'][number];

/** An inventory, or what a policy has chosen; docs/glossary.md has them. What is not here asks for somebody. */
const INVENTORY = [
  'AlreadyAdopted',
  'Foreign',
  'ForeignExpired',
  'ForeignExpiring',
  'Immortal',
  'NotReplicated',
  'Owned',
  'Replica',
  'RuleWithoutDatabase',
  'UnmanagedDatabases',
  'UnmanagedTooShort',
  'Wildcard',
];

/** Without a secret it counts tokens, mostly of others: of an entry, `rotate` finds it with its secret. */
const isCount = ({ kind, secret }: Finding) => kind === 'UnknownDatabase' && secret === undefined;

export const isInventory = (finding: Finding): boolean =>
  INVENTORY.includes(finding.kind) || isCount(finding);

/** What could not be looked at is no trouble that was seen. */
export function findingVerdict(finding: Finding): StatusVerdict {
  if (isInventory(finding)) return 'well';
  return finding.kind === 'DatabasesUnknown' ? 'unknown' : 'not well';
}

import { basename, dirname, join, resolve } from 'node:path';
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
} from 'yaml';
import { type DocumentMark, documentMark } from '../functions/policy/document-mark.ts';
import { shownText } from '../functions/policy/misplaced.ts';
import { parsePolicy } from '../functions/policy/parse-policy.ts';
import type { Policy } from '../functions/policy/policy.ts';
import { formatPath, PolicyError, type PolicyIssue } from '../functions/policy/policy-error.ts';
import { EXTENSION } from '../functions/policy/schemas/document.ts';
import { warningsOf } from '../functions/policy/warnings.ts';
import { visible } from '../functions/visible.ts';
import { approvalMistakes } from './approvals.ts';
import { awsLimitMistakes } from './aws-limits.ts';
import { judgeAuthority } from './certificate-authority.ts';
import { type Deployment, deploymentHashes, replicaRegionsIn } from './deployment.ts';
import { readNamedFile } from './named-file.ts';
import { recipientWarnings } from './nobody-told.ts';
import { DEFAULT_POLICY } from './policy-files.ts';
import { policyFileSchema } from './policy-schema.ts';
import { expressionMistakes, scheduleMistakes, scheduleWarnings } from './schedule/mistakes.ts';
import { anchorsOfNobody, yamlMistakes } from './yaml-mistakes.ts';
import { hintOn } from './yaml-words.ts';

export interface PolicyFile {
  /** Its path, as it was given: files of several folders may have one name, by which alone their functions know them. */
  readonly file: string;
  /** The file as plain data, without what only its deployment needs and what means nothing. The function parses it again at its start. */
  readonly document: unknown;
  readonly policy: Policy;
  readonly deployment: Deployment;
  /** The PEM file that `cluster.ca` names. */
  readonly ca?: string;
  /** Why there is no `ca` though the policy names one, with file, line and key. Only of a file that may be deployed: its functions have their copy. */
  readonly caMistake?: string;
  readonly warnings: readonly PolicyWarning[];
}

/** What a policy may say, and its author should know. */
export interface PolicyWarning {
  /** `tokens.grafana.rotateEvery` */
  readonly key: string;
  /** With file, line and key. */
  readonly sentence: string;
}

/** The policy file cannot be used; the message has one line for each mistake. */
export class PolicyFileError extends Error {
  override readonly name = 'PolicyFileError';
}

/** The offset of a key in the file, in characters; of the closest key around it if it is missing. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const part of path) {
    if (!isCollection(node)) break;
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && shownText(String(key.value)) === String(part))
      : undefined;
    const key = pair?.key;
    const next: unknown = pair ? pair.value : node.get(part, true);
    if (isNode(key)) offset = key.range?.[0] ?? offset;
    else if (isNode(next)) offset = next.range?.[0] ?? offset;
    node = next;
  }
  return offset;
}

function read(file: string): string {
  if (file.trim() === '') {
    throw new PolicyFileError(
      `found an empty path ("${file}"), expected that of a policy file; name it, such as ${DEFAULT_POLICY}`,
    );
  }
  const text = readNamedFile(file, (problem, cause) => {
    const { code } = Object(cause) as NodeJS.ErrnoException;
    // Nobody named it: nothing tells of a path that would be wrong.
    const isUnwritten = file === DEFAULT_POLICY && code === 'ENOENT';
    let advice = 'check its path and permissions';
    if (code === 'EISDIR') advice = `name the file in it, such as ${join(file, DEFAULT_POLICY)}`;
    if (isUnwritten) {
      advice =
        'write it, beginning with keyturn.example.yaml, which the clone and the package have, or name another file';
    }
    return new PolicyFileError(`${file}: ${problem} the policy file; ${advice}`, { cause });
  });
  // PowerShell 5 and Notepad write UTF-16; what is lost here would stand in the descriptions of tokens.
  if (/[\0\uFFFD]/.test(text)) {
    throw new PolicyFileError(
      `${file}: found text in another encoding, expected UTF-8; save it as UTF-8`,
    );
  }
  if (text.includes('\r') && !text.includes('\n')) {
    throw new PolicyFileError(
      `${file}: found lines that end with a carriage return alone, expected line feeds; save it with the line ends of Unix or of Windows`,
    );
  }
  return text;
}

/** The PEM that `cluster.ca` names, and what its author should know. */
interface Authority {
  readonly ca?: string;
  readonly warnings: readonly PolicyIssue[];
}

/**
 * The certificates that `cluster.ca` names, if it names any.
 * @throws PolicyError
 */
export function readAuthority(file: string, { cluster: { ca } }: Policy, now: number): Authority {
  if (ca === undefined) return { warnings: [] };
  const path = resolve(dirname(file), ca);
  const issue = (message: string) => ({ path: ['cluster', 'ca'], message });
  const refuse = (message: string, cause?: unknown) => new PolicyError([issue(message)], { cause });
  const pem = readNamedFile(path, (problem, cause) =>
    refuse(
      `${problem} ${path}, expected the authority's certificates in PEM; check its path and permissions`,
      cause,
    ),
  );
  const { mistake, warning } = judgeAuthority(pem, now);
  if (mistake !== undefined) throw refuse(`${path} ${mistake}`);
  return { ca: pem, warnings: warning === undefined ? [] : [issue(`${path} ${warning}`)] };
}

/** A list of a thousand tokens may use one anchor in each; a few hundred bytes that mean gigabytes need far more. */
const MOST_ALIASES = 10_000;

/** The file as plain data, or why it is none: an alias may name anything, and the parser would quote it. */
function plainData(yaml: Document): { readonly document?: unknown; readonly problem?: string } {
  try {
    return { document: yaml.toJS({ maxAliasCount: MOST_ALIASES }) };
  } catch (error) {
    // The parser's own words for too many aliases ask for an option of its own.
    return error instanceof ReferenceError
      ? {
          problem: `found aliases that mean more than ${MOST_ALIASES.toLocaleString('en')} values, expected fewer; write out what they name`,
        }
      : { problem: visible(shownText(error instanceof Error ? error.message : String(error))) };
  }
}

/**
 * What is in the functions' assets: a change of who is told of alarms must change none of them, nor must keys that mean nothing. Of
 * these, nobody knows what they hold: in a template, a mapping such as {Ref: x} would be a reference.
 */
const bundledOf = (document: unknown): unknown =>
  Object.fromEntries(
    Object.entries(Object(document)).filter(
      ([key]) => key !== 'deployment' && !key.startsWith(EXTENSION),
    ),
  );

export type MarkedFile = Pick<PolicyFile, 'document' | 'ca' | 'deployment'>;

/** By what a function that was deployed with the file has the same policy. */
export const markOf = ({ document, ca, deployment }: MarkedFile): DocumentMark => ({
  ...documentMark(document, ca),
  deployment: deploymentHashes(deployment),
});

/** What a deployment refuses, beside what no function could work with. */
const deploymentMistakes = (policy: Policy, now: number): PolicyIssue[] => [
  ...scheduleMistakes(policy, now),
  ...approvalMistakes(policy, now),
  ...awsLimitMistakes(policy),
];

/**
 * Reads a policy file that may have been deployed by an earlier version, which refused less: whoever gives an order, in an
 * emergency above all, is not kept from it by what only the next deployment must mend, nor by certificates that are not on
 * this machine.
 * @throws PolicyFileError as `readPolicyFile`
 */
export const readDeployedPolicyFile = (file: string, now = Date.now()): PolicyFile =>
  readJudged(file, now, { judge: expressionMistakes, isDeployed: true });

/**
 * Reads and checks a policy file.
 * @param now milliseconds since 1970: dates and years that are far away are mistakes; what is over is none, so that a policy which
 * was deployed can always be read
 * @throws PolicyFileError with one line for each mistake: file, line, key, what was found and what was expected
 */
export const readPolicyFile = (file: string, now = Date.now()): PolicyFile =>
  readJudged(file, now, { judge: deploymentMistakes, isDeployed: false });

interface Judging {
  readonly judge: (policy: Policy, now: number) => PolicyIssue[];
  readonly isDeployed: boolean;
}

function readJudged(file: string, now: number, { judge, isDeployed }: Judging): PolicyFile {
  const lines = new LineCounter();
  const text = read(file);
  const yaml = parseDocument(text, { lineCounter: lines, merge: true });
  const lineOf = (offset: number) => lines.linePos(offset).line;
  const textLines = text.split('\n');
  const at = (offset: number) => `${file}:${lineOf(offset)}`;
  const hintAt = (offset: number) => hintOn(textLines[lineOf(offset) - 1] ?? '');
  const mistakes = yamlMistakes(yaml, { lineOf, isDeployed });
  if (mistakes.length > 0) {
    throw new PolicyFileError(
      mistakes
        .map(
          ({ offset, message }) => `${at(offset)}: ${visible(shownText(message))}${hintAt(offset)}`,
        )
        .join('\n'),
    );
  }
  const sentenceOf = ({ path, message }: PolicyIssue) =>
    `${at(offsetOf(yaml, path))}: ${formatPath(path)}: ${message}`;
  const refusalOf = (issue: PolicyIssue) =>
    `${sentenceOf(issue)}${hintAt(offsetOf(yaml, issue.path))}`;
  const authorityOf = (policy: Policy): Authority & Pick<PolicyFile, 'caMistake'> => {
    try {
      return readAuthority(file, policy, now);
    } catch (error) {
      if (!(isDeployed && error instanceof PolicyError)) throw error;
      return { caMistake: error.issues.map(sentenceOf).join('\n'), warnings: [] };
    }
  };
  const { document, problem } = plainData(yaml);
  if (problem !== undefined) throw new PolicyFileError(`${file}: ${problem}; correct the file`);
  try {
    const { deployment, ...policy } = parsePolicy(
      document,
      basename(file),
      policyFileSchema,
    ) as Policy & { readonly deployment: Deployment };
    if (deployment.tags) policy.secretTags = deployment.tags;
    const { replicaRegions } = deployment;
    if (replicaRegions) policy.replicaRegions = replicaRegionsIn(replicaRegions);
    const wrong = judge(policy, now);
    if (wrong.length > 0) throw new PolicyError(wrong);
    const { warnings: ofAuthority, ...authority } = authorityOf(policy);
    const warnings = [
      ...anchorsOfNobody(yaml),
      ...warningsOf(policy),
      ...scheduleWarnings(policy, now),
      ...recipientWarnings(deployment),
      ...ofAuthority,
    ].map((issue) => ({ key: formatPath(issue.path), sentence: sentenceOf(issue) }));
    return { file, document: bundledOf(document), policy, deployment, warnings, ...authority };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new PolicyFileError(error.issues.map(refusalOf).join('\n'), { cause: error });
  }
}

/** An owner names the stack, and by it a deployment knows its tokens: one line for each file whose owner another one has. */
export function ownerMistakes(owners: ReadonlyMap<string, string>): string[] {
  const byOwner = new Map<string, string>();
  return [...owners].flatMap(([file, owner]) => {
    const other = byOwner.get(owner);
    if (other === undefined) byOwner.set(owner, file);
    return other === undefined
      ? []
      : `${file}: owner: found "${owner}", which is also the owner in ${other}, expected another one: it names the stack and marks the tokens of one cluster; choose one such as ${owner}-2`;
  });
}

/** A sentence about each file that is named twice, by whatever path. */
export function repeatedFiles(files: readonly string[]): string[] {
  const [first, twice] = [new Set<string>(), new Set<string>()];
  for (const file of files) {
    const path = resolve(file);
    if (first.has(path)) twice.add(file);
    first.add(path);
  }
  return [...twice].map(
    (file) => `${file}: found twice among the policy files, expected once; take one out`,
  );
}

/**
 * Checks that each of several policy files has an owner of its own.
 * @throws PolicyFileError naming both files
 */
export function checkOwners(files: readonly string[]): void {
  const repeated = repeatedFiles(files);
  if (repeated.length > 0) throw new PolicyFileError(repeated.join('\n'));
  const mistakes = ownerMistakes(
    new Map(files.map((file) => [file, readPolicyFile(file).policy.owner])),
  );
  if (mistakes.length > 0) throw new PolicyFileError(mistakes.join('\n'));
}

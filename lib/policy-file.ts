import { basename, dirname, join, resolve } from 'node:path';
import type { Document, Node, YAMLError } from 'yaml';
import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import { EXTENSION } from '../functions/policy/document.ts';
import { shownText } from '../functions/policy/misplaced.ts';
import { parsePolicy } from '../functions/policy/parse-policy.ts';
import type { Policy } from '../functions/policy/policy.ts';
import { formatPath, PolicyError, type PolicyIssue } from '../functions/policy/policy-error.ts';
import { visible } from '../functions/policy/text.ts';
import { warningsOf } from '../functions/policy/warnings.ts';
import { approvalMistakes } from './approvals.ts';
import { awsLimitMistakes } from './aws-limits.ts';
import { authorityMistake } from './certificate-authority.ts';
import { type Deployment, replicaRegionsIn } from './deployment.ts';
import { readNamedFile } from './named-file.ts';
import { DEFAULT_POLICY } from './policy-files.ts';
import { policyFileSchema } from './policy-schema.ts';
import { expressionMistakes, scheduleMistakes, scheduleWarnings } from './schedule/mistakes.ts';

export interface PolicyFile {
  /** The file as plain data, without what only its deployment needs and what means nothing. The function parses it again at its start. */
  readonly document: unknown;
  readonly policy: Policy;
  readonly deployment: Deployment;
  /** The PEM file that `cluster.ca` names. */
  readonly ca?: string;
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
      `found an empty path of the policy file, expected one; name it, such as ${DEFAULT_POLICY}`,
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
  return text;
}

/**
 * The certificates that `cluster.ca` names. Undefined: it names none.
 * @throws PolicyError
 */
export function readAuthority(file: string, { cluster: { ca } }: Policy): string | undefined {
  if (ca === undefined) return undefined;
  const path = resolve(dirname(file), ca);
  const refuse = (message: string, cause?: unknown) =>
    new PolicyError([{ path: ['cluster', 'ca'], message }], { cause });
  const pem = readNamedFile(path, (problem, cause) =>
    refuse(
      `${problem} ${path}, expected the authority's certificates in PEM; check its path and permissions`,
      cause,
    ),
  );
  const mistake = authorityMistake(pem);
  if (mistake !== undefined) throw refuse(`${path} ${mistake}`);
  return pem;
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

/** A mistake in the YAML itself, at an offset in the file. */
interface Mistake {
  readonly offset: number;
  readonly message: string;
}

/** What stands in a file instead of a mapping. */
function writtenIn(node: unknown): string {
  if (isAlias(node)) return `*${node.source}`;
  return isScalar(node) ? (JSON.stringify(node.value) ?? 'nothing') : 'a list';
}

/**
 * Aliases that stand before or inside what they name, or name nothing, and merge keys with what is no mapping. The parser would say so
 * only of some, and not where.
 */
function strayReferences(yaml: Document): Mistake[] {
  const anchors = new Map<string, Node>();
  const found: Mistake[] = [];
  const refuse = (node: Node, expected: string) =>
    found.push({
      offset: node.range?.[0] ?? 0,
      message: `found ${writtenIn(node)}, expected ${expected}`,
    });
  const named = (node: unknown) => (isAlias(node) ? anchors.get(node.source) : node);
  visit(yaml, {
    Pair(_key, { key, value }) {
      // The parser takes a merge key, and none in quotes, for a symbol.
      if (!isScalar(key) || typeof key.value !== 'symbol') return;
      const list = named(value);
      for (const each of isSeq(list) ? list.items : [value]) {
        const merged = named(each);
        if (merged === undefined || isMap(merged)) continue;
        refuse(isNode(each) ? each : key, 'a mapping behind "<<", or the alias of one');
      }
    },
    Node(_key, node, around) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return;
      }
      const { source } = node;
      if (source === '') return; // a bare *, of which the parser tells
      const isInside = around.some((each) => isCollection(each) && each.anchor === source);
      if (anchors.has(source) && !isInside) return;
      refuse(
        node,
        isInside ? `it outside of what &${source} names` : `an anchor &${source} above it`,
      );
    },
  });
  return found;
}

/** Lists and mappings in the place of a name, which the parser makes a text of. */
function collectionsAsKeys(yaml: Document): Mistake[] {
  const found: Mistake[] = [];
  visit(yaml, {
    Pair(_key, { key }) {
      if (!isCollection(key)) return;
      found.push({
        offset: key.range?.[0] ?? 0,
        message: `found ${isMap(key) ? 'a mapping' : 'a list'} as a key, expected a name such as "owner"; put text with { or [ in it in quotes, and take out a ? in front`,
      });
    },
  });
  return found;
}

const KEY_AND_VALUE = 'found no "key: value" here, expected a colon and a space behind the key';

/** What was found, what was expected and what to do; a code of the parser's that is not here is told in its own words. */
const WORDS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_DQ_ESCAPE:
    'found a backslash before a character that YAML knows no meaning of, in double quotes, expected one such as \\n or \\\\; write two backslashes, or put the text in single quotes',
  BAD_INDENT:
    'found a line that is indented otherwise than what it belongs to, expected it deeper than its key, and like its neighbours; count the spaces at its beginning',
  BAD_SCALAR_START:
    'found text that begins with a character which YAML keeps for itself (@ ` % and others), expected it in quotes; write "@x"',
  BLOCK_AS_IMPLICIT_KEY:
    'found a second key on one line, or a line deeper than its key allows, expected one "key: value" on each; put text with ": " in it in quotes, or indent the line like its neighbours',
  DUPLICATE_KEY:
    'found this key a second time, expected each once; write what belongs to it in one place',
  MULTILINE_IMPLICIT_KEY: `${KEY_AND_VALUE}; add it, or put text of several lines in quotes`,
  MULTIPLE_DOCS:
    'found a second document, expected one; take out "---" and what is below it, or give it a file of its own',
  TAB_AS_INDENT: 'found a tab, expected spaces: YAML is indented with spaces alone',
  TAG_RESOLVE_FAILED:
    'found a tag (a word with ! in front) that means nothing here, expected a plain value; take the tag out, or put text that begins with ! in quotes',
};

/** One code stands for several slips, which only the parser's text tells apart. */
const TOLD: readonly (readonly [RegExp, string])[] = [
  [
    /^Alias cannot be an empty string/,
    'found a bare *, expected "*" in quotes: YAML takes it for the beginning of an alias',
  ],
  [
    /^Block scalars with more-indented/,
    'found an empty line that is indented deeper than the text below it, behind | or >, expected it no deeper; take the spaces out of the empty line',
  ],
  [
    /^Block scalar header includes/,
    'found text on the line of | or >, expected it on the lines below, indented; move it there, or take | or > out',
  ],
  [
    /^Unexpected flow-(?:map|seq)-end/,
    'found } or ] without its beginning, expected none; take it out, or put the text in quotes',
  ],
  [/^Missing closing .quote/, 'found text in quotes without their end, expected it; close them'],
  [/^Implicit map keys need/, `${KEY_AND_VALUE}; add it, or take the line out`],
  [
    /must be sufficiently indented and end with a|^Flow (?:map|sequence) .*end with a/,
    'found the end of a list or mapping in brackets missing, expected ] or } before what comes next; close each bracket that is open',
  ],
];

/** The parser ends its first line with the place, which stands in front of ours, and goes on with a piece of the file. */
const PLACE = / at line \d{1,9}, column \d{1,9}:$/;

function wordsFor({ code, message }: YAMLError): string {
  const told = TOLD.find(([pattern]) => pattern.test(message))?.[1] ?? WORDS[code];
  if (told !== undefined) return told;
  const own = (message.split('\n')[0] ?? '').replace(PLACE, '');
  return `found what is no YAML (${own}), expected keys and values such as "owner: prod"; correct what stands here, or put text with : # @ [ { in it in quotes`;
}

const mistakeOf = (error: YAMLError): Mistake => ({
  offset: error.pos[0],
  message: wordsFor(error),
});

/** What the parser says first of a line: by what else it says there it is only lost. */
const firstOfEachLine = (mistakes: readonly Mistake[], lineOf: (offset: number) => number) =>
  mistakes.filter(
    ({ offset }, index) =>
      mistakes.findIndex((each) => lineOf(each.offset) === lineOf(offset)) === index,
  );

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

/** What a deployment refuses, beside what no function could work with. */
const deploymentMistakes = (policy: Policy, now: number): PolicyIssue[] => [
  ...scheduleMistakes(policy, now),
  ...approvalMistakes(policy, now),
  ...awsLimitMistakes(policy),
];

/**
 * Reads a policy file that may have been deployed by an earlier version, which refused less: whoever gives an order, in an
 * emergency above all, is not kept from it by what only the next deployment must mend.
 * @throws PolicyFileError as `readPolicyFile`
 */
export const readDeployedPolicyFile = (file: string, now = Date.now()): PolicyFile =>
  readJudged(file, now, expressionMistakes);

/** So is whoever has the deployed functions work: they have the certificates that `cluster.ca` names, and this machine may lack the file. */
export const readWithoutAuthority = (file: string, now = Date.now()): PolicyFile =>
  readJudged(file, now, expressionMistakes, readableAuthority);

/** Undefined where `cluster.ca` names none, or one that cannot be used here. */
function readableAuthority(file: string, policy: Policy): string | undefined {
  try {
    return readAuthority(file, policy);
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}

/**
 * Reads and checks a policy file.
 * @param now milliseconds since 1970: dates and years that are far away are mistakes; what is over is none, so that a policy which
 * was deployed can always be read
 * @throws PolicyFileError with one line for each mistake: file, line, key, what was found and what was expected
 */
export const readPolicyFile = (file: string, now = Date.now()): PolicyFile =>
  readJudged(file, now, deploymentMistakes);

function readJudged(
  file: string,
  now: number,
  judge: (policy: Policy, now: number) => PolicyIssue[],
  authorityOf = readAuthority,
): PolicyFile {
  const lines = new LineCounter();
  const yaml = parseDocument(read(file), { lineCounter: lines, merge: true });
  const lineOf = (offset: number) => lines.linePos(offset).line;
  const at = (offset: number) => `${file}:${lineOf(offset)}`;
  const ofParser = [...yaml.errors, ...yaml.warnings].map(mistakeOf);
  const mistakes = [
    ...firstOfEachLine(ofParser, lineOf),
    ...strayReferences(yaml),
    ...collectionsAsKeys(yaml),
  ];
  if (mistakes.length > 0) {
    throw new PolicyFileError(
      mistakes
        .map(({ offset, message }) => `${at(offset)}: ${visible(shownText(message))}`)
        .join('\n'),
    );
  }
  const sentenceOf = ({ path, message }: PolicyIssue) =>
    `${at(offsetOf(yaml, path))}: ${formatPath(path)}: ${message}`;
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
    const warnings = [...warningsOf(policy), ...scheduleWarnings(policy, now)].map((issue) => ({
      key: formatPath(issue.path),
      sentence: sentenceOf(issue),
    }));
    const ca = authorityOf(file, policy);
    const bundled = bundledOf(document);
    return { document: bundled, policy, deployment, warnings, ...(ca !== undefined && { ca }) };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new PolicyFileError(error.issues.map(sentenceOf).join('\n'), { cause: error });
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

/** A sentence about the files that are named twice, by whatever path. */
export function repeatedFiles(files: readonly string[]): string[] {
  const [first, twice] = [new Set<string>(), new Set<string>()];
  for (const file of files) {
    const path = resolve(file);
    if (first.has(path)) twice.add(file);
    first.add(path);
  }
  if (twice.size === 0) return [];
  return [
    `${[...twice].join(', ')}: found twice among the policy files, expected once; take one out`,
  ];
}

/**
 * Checks that each of several policy files has an owner of its own.
 * @throws PolicyFileError naming both files
 */
export function checkOwners(files: readonly string[]): void {
  const [repeated] = repeatedFiles(files);
  if (repeated !== undefined) throw new PolicyFileError(repeated);
  const mistakes = ownerMistakes(
    new Map(files.map((file) => [file, readPolicyFile(file).policy.owner])),
  );
  if (mistakes.length > 0) throw new PolicyFileError(mistakes.join('\n'));
}

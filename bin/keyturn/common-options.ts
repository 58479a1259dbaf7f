import { type Command, Option } from 'commander';
import { functionName } from '../../functions/environment.ts';
import type { DocumentMark } from '../../functions/policy/document-mark.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import { parseManagementToken } from '../../functions/secrets-manager/management-token.ts';
import { TokenValue } from '../../functions/token-value.ts';
import { readNamedFile } from '../../lib/named-file.ts';
import { markOf, type PolicyFile, readDeployedPolicyFile } from '../../lib/policy-file.ts';
import { DEFAULT_POLICY, namedPolicyFiles, POLICY_VARIABLE } from '../../lib/policy-files.ts';
import { advisingLocal } from './advice.ts';
import { comparingPolicies } from './comparing-policies.ts';
import { type Engine, withPatience } from './engine.ts';
import { CommandError } from './failure.ts';
import { createLambdaEngine } from './lambda-engine.ts';
import { createLocalEngine } from './local-engine.ts';
import type { Terminal } from './terminal.ts';

export interface CommonOptions {
  readonly policy: string;
  readonly json?: true;
  readonly local?: true;
  readonly functionPrefix?: string;
  readonly managementTokenFile?: string;
}

const MANAGEMENT_TOKEN = 'KEYTURN_MANAGEMENT_TOKEN';
const TOKEN_FILE = 'KEYTURN_MANAGEMENT_TOKEN_FILE';

export const policyOption = () =>
  new Option('--policy <file>', 'the policy file').env(POLICY_VARIABLE).default(DEFAULT_POLICY);

/** @throws CommandError if several are named, as `cdk` takes them */
export function onePolicyFile(named: string): string {
  const [file, ...others] = namedPolicyFiles(named);
  if (others.length === 0) return file;
  throw new CommandError(
    `found ${others.length + 1} policy files (${[file, ...others].join(', ')}), expected one: the command is for one deployment; choose it with --policy`,
  );
}
/** In place of the name of a file that is written. */
export const STDOUT = '-';

export const jsonOption = () => new Option('--json', 'print JSON to standard output');

export const managementTokenFileOption = (help: string) =>
  new Option('--management-token-file <file>', help).env(TOKEN_FILE);

/** The options of every command that talks to the cluster. */
export const withCommonOptions = (command: Command): Command =>
  command
    .addOption(policyOption())
    .addOption(jsonOption())
    .option('--local', 'run on this machine instead of in Lambda, with your own AWS credentials')
    .addOption(
      new Option(
        '--function-prefix <text>',
        'prefix of the function names (default: keyturn-<owner>-)',
      ).env('KEYTURN_FUNCTION_PREFIX'),
    )
    .addOption(
      managementTokenFileOption(
        `with --local: read the management token from this file, not from ${MANAGEMENT_TOKEN} or its secret`,
      ),
    );

/** The management token on this machine; undefined: read it from its secret. */
export function ownManagementToken(file: string | undefined): TokenValue | undefined {
  const given = file === undefined ? process.env[MANAGEMENT_TOKEN] : readToken(file);
  if (!given?.trim()) return undefined;
  return parseManagementToken(new TokenValue(given), file ?? MANAGEMENT_TOKEN).value;
}

const readToken = (file: string): string =>
  readNamedFile(
    file,
    (problem, cause) =>
      new CommandError(
        `${problem} ${file}, expected a file with only the management token, or with the JSON of its secret; correct --management-token-file`,
        { cause },
      ),
  );

/** A function has a token of its own. What a shell has set for all commands may stay. */
function refuseUnused({ local, managementTokenFile: file }: CommonOptions): void {
  if (local || file === undefined || file === process.env[TOKEN_FILE]) return;
  throw new CommandError(
    'found --management-token-file without --local, expected both or neither: the functions take the token that their policy says. Nothing was done',
  );
}

/**
 * The policy, and the engine that does the work.
 * @param read how the file is judged: an order in an emergency is not kept back by what only the next deployment must mend
 */
export function openEngine(
  options: CommonOptions,
  terminal: Terminal,
  read: (file: string) => PolicyFile = readDeployedPolicyFile,
): {
  readonly policy: Policy;
  readonly policyFile: PolicyFile;
  /** Of the file. Absent: this machine does the work, and goes by the file. */
  readonly mark?: DocumentMark;
  readonly engine: Engine;
  readonly json: boolean;
  readonly isLocal: boolean;
} {
  refuseUnused(options);
  const policyFile = read(onePolicyFile(options.policy));
  const { policy, caMistake } = policyFile;
  if (caMistake !== undefined && !options.local) {
    terminal.note(`${caMistake}; the functions have a copy of their own`);
  }
  const engine = options.local
    ? advisingLocal(
        createLocalEngine(policyFile, terminal, ownManagementToken(options.managementTokenFile)),
      )
    : createLambdaEngine(options.functionPrefix ?? functionName(policy.owner, ''));
  const patient = withPatience(engine, terminal);
  return {
    policy,
    policyFile,
    ...(!options.local && { mark: markOf(policyFile) }),
    engine: comparingPolicies(patient, policyFile, terminal),
    json: options.json === true,
    isLocal: options.local === true,
  };
}

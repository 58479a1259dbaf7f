import { closeSync, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { parse } from 'yaml';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import type { Policy } from '../../functions/policy/policy.ts';
import { formatPath, PolicyError } from '../../functions/policy/policy-error.ts';
import { counted } from '../../functions/run/counted.ts';
import { readAuthority } from '../../lib/policy-file.ts';
import { DEFAULT_POLICY } from '../../lib/policy-files.ts';
import {
  jsonOption,
  managementTokenFileOption,
  ownManagementToken,
  STDOUT,
} from './common-options.ts';
import { CommandError } from './failure.ts';
import {
  type ClusterKeys,
  composePolicy,
  type Draft,
  type Summary,
} from './init/compose-policy.ts';
import { optionOf } from './init/options.ts';
import { readCluster } from './init/read-cluster.ts';
import { type FromTerraform, readTerraform } from './init/read-terraform.ts';
import { type NamedSecret, namedBoth, parseNamedSecret, placesIn } from './init/secret-places.ts';
import type { Terminal } from './terminal.ts';
import { THIS_MACHINE, whileWaiting } from './waiting.ts';

interface InitOptions {
  readonly fromCluster?: true;
  readonly fromTerraform?: string;
  readonly url: string;
  readonly owner: string;
  readonly dataUrl?: string;
  readonly allowPlainHttp?: true;
  readonly managementSecret: string;
  readonly managementTokenFile?: string;
  readonly ca?: string;
  readonly accountId?: string;
  readonly clusterId?: string;
  readonly secret: readonly NamedSecret[];
  readonly json?: true;
}

/** Characters of a token's id. */
const WHOLE_ID = 36;

/** @throws CommandError with what is wrong, and where it was said */
function checked(document: unknown, file: string): Policy {
  try {
    return parsePolicy(document, file);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const sentences = error.issues.map(({ path, message }) => {
      const key = formatPath(path);
      return `${optionOf(key)}: ${message}`;
    });
    throw new CommandError(`${sentences.join('\n')}\nNothing was written`, { cause: error });
  }
}

const existsAlready = (file: string) =>
  new CommandError(
    `${file} is there already, and is not overwritten; name another file, or "-" for standard output. Nothing was written`,
  );

/** The whole text, or no file. */
function write(file: string, text: string): void {
  let descriptor: number;
  const refuse = (cause: unknown) =>
    new CommandError(
      `cannot write ${file}: ${cause instanceof Error ? cause.message : cause}; name another file. Nothing was written`,
      { cause },
    );
  try {
    descriptor = openSync(file, 'wx');
  } catch (error) {
    throw Object(error).code === 'EEXIST' ? existsAlready(file) : refuse(error);
  }
  try {
    writeFileSync(descriptor, text);
  } catch (error) {
    rmSync(file, { force: true });
    throw refuse(error);
  } finally {
    closeSync(descriptor);
  }
}

function keysOf(options: InitOptions, file: string): ClusterKeys {
  const { url, dataUrl, allowPlainHttp, managementSecret, ca, accountId, clusterId } = options;
  return {
    url,
    dataUrl,
    allowPlainHttp,
    managementToken: managementSecret,
    // A policy names it from its own folder.
    ca: ca === undefined ? undefined : relative(dirname(resolve(file)), resolve(ca)),
    accountId,
    clusterId,
  };
}

/** What was written, and what is to be done with it. */
function reportOf(file: string, { adopted, waiting, rules, findings }: Summary): string {
  const entries = [
    ...(adopted > 0 ? [`${counted(adopted, 'token')} to take over`] : []),
    ...(waiting > 0 ? [`${counted(waiting, 'token')} without a secret, as comments`] : []),
    counted(rules, 'database'),
  ];
  const plan = `keyturn plan --local --policy ${file}`;
  const next =
    adopted + rules > 0
      ? `Next: read it, then ${plan}`
      : waiting > 0
        ? 'It names nothing yet: name the secret of a token in it first.'
        : `It names nothing yet: write a token that Keyturn is to make, or a database, into it (docs/policy.md), then ${plan}`;
  return [
    `wrote ${file}: ${entries.join(', ')}`,
    ...findings.map((each) => `  ! ${each}`),
    next,
  ].join('\n');
}

/** So many tokens a server may list at most: nothing in its answer would say that there are more. */
const PAGES = [20, 25, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000];

const cutNotes = (count: number): readonly string[] =>
  PAGES.includes(count)
    ? [
        `! The cluster listed exactly ${count} tokens, as a server would that lists no more: compare with influxctl token list.`,
      ]
    : [];

const clusterIn = (terraform: FromTerraform | undefined) => {
  const { accountId, clusterId } = terraform ?? {};
  return { ...(accountId && { accountId }), ...(clusterId && { clusterId }) };
};

interface Source {
  readonly policy: Policy;
  readonly ca: string | undefined;
  readonly terraform: FromTerraform | undefined;
}

type Looked = Omit<Draft, 'owner' | 'cluster' | 'places'> & {
  readonly named: readonly NamedSecret[];
  /** Of the notes those of tokens whose secret is not clear. */
  readonly unclear: readonly string[];
};

/** By the state file alone: what was there when Terraform looked last. */
function inState(terraform: FromTerraform, options: InitOptions): Looked {
  const { found } = terraform;
  const at = Date.now();
  const { named, notes } = namedBoth(options.secret, terraform, found.tokens, at);
  return {
    found,
    named,
    unclear: notes,
    knowsDatabases: false,
    at,
    from: `in ${basename(options.fromTerraform ?? '')}`,
    notes: [
      ...notes,
      ...terraform.notes,
      '! It is what Terraform saw last: keyturn plan --local shows what of it has changed since, and no grant was compared with the databases that there are.',
    ],
  };
}

/** What is there, by the cluster if it is asked, and which secrets are known. */
async function look(
  { policy, ca, terraform }: Source,
  options: InitOptions,
  terminal: Terminal,
): Promise<Looked> {
  if (terraform && !options.fromCluster) return inState(terraform, options);
  const { secret, url } = options;
  const managementToken = ownManagementToken(options.managementTokenFile);
  const wanted = [...secret, ...(terraform?.known ?? [])]
    .map(({ tokenId }) => tokenId)
    .filter((id) => id.length === WHOLE_ID);
  const found = await whileWaiting(terminal, { place: THIS_MACHINE, isLook: true }, () =>
    readCluster({ policy, ca, managementToken }, wanted),
  );
  const cut = cutNotes(found.tokens.length);
  for (const each of cut) terminal.note(each);
  const { named, notes } = namedBoth(secret, terraform, found.tokens, found.at);
  return {
    found,
    named,
    unclear: notes,
    knowsDatabases: true,
    at: found.at,
    from: `on ${url}`,
    notes: [...cut, ...notes, ...(terraform?.notes ?? [])],
  };
}

async function run(file: string, options: InitOptions, terminal: Terminal): Promise<void> {
  if (!options.fromCluster && options.fromTerraform === undefined) {
    throw new CommandError(
      'name what to begin with: --from-cluster, --from-terraform FILE, or both',
    );
  }
  const isPrinted = file === STDOUT;
  if (isPrinted && options.json) {
    throw new CommandError('--json prints what was written to a file; name one in place of "-"');
  }
  if (!isPrinted && existsSync(file)) throw existsAlready(file);
  const { owner } = options;
  const terraform =
    options.fromTerraform === undefined ? undefined : readTerraform(options.fromTerraform);
  const cluster = keysOf({ ...clusterIn(terraform), ...options }, file);
  // What says how to reach the cluster, and a token, because no policy is without one.
  const bare = { owner, cluster, tokens: { init: { permissions: { read: '*' } } } };
  const policy = checked(JSON.parse(JSON.stringify(bare)), file);
  const { ca } = readAuthority(file, policy, Date.now());
  const source = { policy, ca, terraform };
  const { named, unclear, ...draft } = await look(source, options, terminal);
  for (const each of unclear) terminal.note(each);
  const { text, summary } = composePolicy({
    ...draft,
    owner,
    cluster,
    places: placesIn(named, draft.found.tokens, draft.at),
  });
  if (summary.adopted + summary.rules > 0) checked(parse(text), file);
  if (isPrinted) return terminal.print(text);
  write(file, `${text}\n`);
  if (options.json) terminal.printJson({ file, ...summary });
  else terminal.print(reportOf(file, summary));
}

export const initCommand = (terminal: Terminal): Command =>
  new Command('init')
    .summary('write a policy file of what is there')
    .description(
      'Write a policy file of the tokens and databases that a cluster has, or that Terraform made. It only reads them. The first plan of the file changes nothing, but ' +
        'that it takes over the tokens whose secrets you name.',
    )
    .argument('[file]', 'the policy file to write, or "-" for standard output', DEFAULT_POLICY)
    .option('--from-cluster', 'list the tokens and databases of the cluster')
    .option(
      '--from-terraform <file>',
      'a state file, or what terraform show -json prints; with --from-cluster, for the secrets of tokens alone',
    )
    .requiredOption('--url <url>', 'the URL of the cluster')
    .requiredOption('--owner <name>', 'the name of the deployment, such as prod')
    .addOption(
      new Option(
        '--secret <token-id=secret>',
        'which secret has the string of a token, such as 67cd832e=monitoring/grafana; behind # the key in its JSON; may be repeated',
      )
        .argParser((text, before: readonly NamedSecret[]) => [...before, parseNamedSecret(text)])
        .default([], 'none'),
    )
    .option(
      '--management-secret <name>',
      'the secret with the management token',
      'influxdb/management',
    )
    .addOption(managementTokenFileOption('read the management token from this file'))
    .option('--ca <file>', 'PEM file of the authority that signed the certificate of the cluster')
    .option('--data-url <url>', 'the URL of the data plane, if it is another one')
    .option('--account-id <uuid>', 'of Cloud Dedicated: the account')
    .option('--cluster-id <uuid>', 'of Cloud Dedicated: the cluster')
    .option('--allow-plain-http', 'the URL may be one that sends tokens unencrypted')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Nobody can list the string of a token, so an entry needs the secret that has it. Entries without one are comments: name the
secret in the file, or here by --secret. The management token comes from KEYTURN_MANAGEMENT_TOKEN, a file, or its secret; where
the cluster takes those of an identity provider alone, a JWT of a user of the cluster, such as your own, is one.

Examples:
  keyturn init --from-cluster --url https://influxdb.example.com --owner prod
  keyturn init --from-cluster --url https://influxdb.example.com --owner prod --secret 67cd832e=monitoring/grafana -
  terraform state pull > state.json
  keyturn init --from-cluster --from-terraform state.json --url https://influxdb.example.com --owner prod`,
    )
    .action((file: string, options: InitOptions) => run(file, options, terminal));

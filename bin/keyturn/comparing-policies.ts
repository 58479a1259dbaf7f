import {
  CA,
  type DocumentMark,
  differingParts,
  hasToken,
  OF_DEPLOYMENT,
} from '../../functions/policy/document-mark.ts';
import { type MarkedFile, markOf, type PolicyFile } from '../../lib/policy-file.ts';
import { policyOf } from './answers.ts';
import { type Engine, type Job, named } from './engine.ts';
import { CommandError, kindOf } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Of the section `deployment`, what runs go by: tags and replicas of the secrets that they make. */
const GONE_BY = ['tags', 'replicaRegions'].map((key) => OF_DEPLOYMENT + key);

/** A run on this machine changes nothing of what is deployed around the functions. */
function adviceFor(differing: readonly string[]): string {
  const isOfRuns = differing.some(
    (part) => !part.startsWith(OF_DEPLOYMENT) || GONE_BY.includes(part),
  );
  return isOfRuns
    ? 'cdk diff shows how, cdk deploy gives it the file, and --local goes by the file at once'
    : 'cdk diff shows how, and cdk deploy gives it the file';
}

/** The file has tokens that the policy of the function lacks; nothing was done. */
export class NotDeployedError extends CommandError {
  readonly tokens: readonly string[];
  /** The sentence without what became of the command. */
  readonly why: string;

  constructor(why: string, tokens: readonly string[], options: ErrorOptions) {
    super(`${why}; nothing was done`, options);
    this.tokens = tokens;
    this.why = why;
  }
}

/** The names of tokens that an event is about. */
function tokensIn(event: object): readonly string[] {
  const { tokens = [], token } = event as { readonly tokens?: string[]; readonly token?: string };
  return token === undefined ? tokens : [token];
}

/** How a function refuses names that its policy lacks, and more. */
const REFUSALS = ['RequestError', 'SelectionError'];

/** What a function answers whatever its policy names; by the job, since who may invoke one may not invoke the other. */
const LOOKS: Readonly<Partial<Record<Job, object>>> = {
  rotate: { dryRun: true },
  revoke: { way: 'whois', all: true, withoutSecrets: true },
};

/**
 * The same engine; whoever asks is told, of each key once, if the functions were deployed with another policy than the file's.
 * A refusal of names that the file has is about that, and is told so: for all commands here, since only the function knows its policy.
 */
export function comparingPolicies(
  engine: Engine,
  policyFile: MarkedFile & Pick<PolicyFile, 'caMistake' | 'policy'>,
  terminal: Terminal,
): Engine {
  const {
    caMistake,
    policy: { file, tokens },
  } = policyFile;
  const ofFile = markOf(policyFile);
  const told = new Set<string>();

  // Of certificates that could not be read nobody knows whether they are the same.
  const differingFrom = (deployed: DocumentMark) =>
    differingParts(deployed, ofFile).filter((part) => !caMistake || part !== CA);

  const differenceOf = (job: Job, differing: readonly string[], also = '') =>
    `${engine.placeOf(job)} was deployed with another policy than ${file} (they ${also}differ in ${named(differing)})`;

  function compare(job: Job, deployed: DocumentMark): void {
    const differing = differingFrom(deployed).filter((part) => !told.has(part));
    if (differing.length === 0) return;
    const also = told.size > 0 ? 'also ' : '';
    for (const part of differing) told.add(part);
    terminal.note(`${differenceOf(job, differing, also)}: ${adviceFor(differing)}`);
  }

  /** @throws NotDeployedError */
  async function refuseNotDeployed(job: Job, event: object, refusal: unknown): Promise<void> {
    const look = LOOKS[job];
    const asked = tokensIn(event).filter((name) => tokens.some((entry) => entry.name === name));
    if (!look || asked.length === 0 || !REFUSALS.includes(kindOf(refusal))) return;
    const deployed = policyOf(await engine.call(job, look));
    // An older function does not say what it has.
    if (!deployed) return;
    const lacking = asked.filter((name) => !hasToken(deployed, name));
    if (lacking.length === 0) return;
    const differing = differingFrom(deployed);
    for (const part of differing) told.add(part);
    throw new NotDeployedError(
      `${differenceOf(job, differing)}, and has no token ${lacking.join(', ')}: ${adviceFor(differing)}`,
      lacking,
      { cause: refusal },
    );
  }

  return {
    ...engine,
    async call(job, event) {
      const answer = await engine.call(job, event).catch(async (refusal: unknown) => {
        await refuseNotDeployed(job, event, refusal);
        throw refusal;
      });
      const deployed = policyOf(answer);
      if (deployed) compare(job, deployed);
      return answer;
    },
  };
}

import { CA, differingParts, OF_DEPLOYMENT } from '../../functions/policy/document-mark.ts';
import type { Wanted } from '../../functions/revocation/ask-cluster.ts';
import { type MarkedFile, markOf, type PolicyFile } from '../../lib/policy-file.ts';
import { policyOf } from './answers.ts';
import type { Terminal } from './terminal.ts';
import { THIS_MACHINE, whileWaiting } from './waiting.ts';

export type Job = 'rotate' | 'reap' | 'enforce' | 'revoke';

/** Does the functions' work, in Lambda or in this process. */
export interface Engine {
  /** `keyturn-prod-revoke`, or `this machine`. */
  placeOf(job: Job): string;
  /** Takes the function's event and returns its answer, as parsed from JSON. */
  call(job: Job, event: object): Promise<unknown>;
  /**
   * Ends a measurement that goes on in this process, and removes what it has made; undefined: there is none.
   * Resolves to its answer if it was over, and else rejects with what it says in its end.
   */
  readonly stopMeasuring?: () => Promise<unknown>;
  /** Finds tokens without a call to AWS; absent if that is not possible. */
  readonly askCluster?: (wanted: Wanted) => Promise<unknown>;
}

/** Whether an event asks only what there is, or what would be done. */
export const isLook = (event: object): boolean =>
  ('dryRun' in event && event.dryRun === true) ||
  'examine' in event ||
  ('way' in event && event.way === 'whois');

/** The same engine; whoever waits for it is told so, and may stop. */
export function withPatience(engine: Engine, terminal: Terminal): Engine {
  const { askCluster, stopMeasuring } = engine;
  return {
    placeOf: (job) => engine.placeOf(job),
    call: (job, event) =>
      whileWaiting(terminal, { place: engine.placeOf(job), isLook: isLook(event) }, () =>
        engine.call(job, event),
      ),
    ...(stopMeasuring && { stopMeasuring }),
    ...(askCluster && {
      askCluster: (wanted: Wanted) =>
        whileWaiting(terminal, { place: THIS_MACHINE, isLook: true }, () => askCluster(wanted)),
    }),
  };
}

/** So many keys, or names, are enough to see what is meant. */
const MOST_NAMED = 5;

export const named = (keys: readonly string[]) =>
  keys.length > MOST_NAMED
    ? `${keys.slice(0, MOST_NAMED).join(', ')} and ${keys.length - MOST_NAMED} more`
    : keys.join(', ');

/** Of the section `deployment`, what runs go by: tags and replicas of the secrets that they make. */
const GONE_BY = ['tags', 'replicaRegions'].map((key) => OF_DEPLOYMENT + key);

/** The same engine; whoever asks is told, of each key once, if the functions were deployed with another policy than the file's. */
export function comparingPolicies(
  engine: Engine,
  policyFile: MarkedFile & Pick<PolicyFile, 'caMistake' | 'policy'>,
  terminal: Terminal,
): Engine {
  const {
    caMistake,
    policy: { file },
  } = policyFile;
  const ofFile = markOf(policyFile);
  const told = new Set<string>();
  return {
    ...engine,
    async call(job, event) {
      const answer = await engine.call(job, event);
      const deployed = policyOf(answer);
      if (!deployed) return answer;
      // Of certificates that could not be read nobody knows whether they are the same.
      const differing = differingParts(deployed, ofFile).filter(
        (part) => !told.has(part) && (!caMistake || part !== CA),
      );
      if (differing.length === 0) return answer;
      const also = told.size > 0 ? 'also ' : '';
      for (const part of differing) told.add(part);
      // A run on this machine changes nothing of what is deployed around the functions.
      const isOfRuns = differing.some(
        (part) => !part.startsWith(OF_DEPLOYMENT) || GONE_BY.includes(part),
      );
      terminal.note(
        `${engine.placeOf(job)} was deployed with another policy than ${file} (they ${also}differ in ${named(differing)}): cdk diff shows how, ` +
          `${isOfRuns ? 'cdk deploy gives it the file, and --local goes by the file at once' : 'and cdk deploy gives it the file'}`,
      );
      return answer;
    },
  };
}

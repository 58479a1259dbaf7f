import { type Policy, replicaRegionsOf, type TokenPolicy } from '../../policy/policy.ts';
import type { Finding } from '../../run/plan.ts';
import {
  ADOPTED_TAG,
  FAILED,
  IN_SYNC,
  type Replica,
  type Secret,
} from '../../secrets-manager/secret.ts';
import { HOUR_MS } from '../../time.ts';
import type { ObservedSecret } from '../../tokens/observation.ts';
import { forbidden } from './decide-rotation.ts';
import type { ReplicaAction, Replication } from './rotation-action.ts';
import type { Note } from './rotation-case.ts';

/** A secret as it was described for the sake of its replicas, or why it could not be. */
export type Described = Pick<Secret, 'replicas' | 'changedAt'> | { readonly unreadable: string };

/** How long after its last change a secret's replicas may lag behind it. They mostly take seconds, and every grace period of the defaults is a day. */
const LATE_MS = HOUR_MS;

/** Whether a secret was taken over from others: its tags and its entry say so. */
const isAdopted = ({ secret }: ObservedSecret) => secret.tags[ADOPTED_TAG] !== undefined;

/** Where the secret is to have replicas. Undefined: it is not Keyturn's to replicate, or nothing may be done to it now. */
export function wantedReplicas(
  policy: Pick<Policy, 'owner' | 'replicaRegions'>,
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
): readonly string[] | undefined {
  if (!seen || isAdopted(seen) || forbidden(seen)) return undefined;
  return replicaRegionsOf(policy, entry)?.map(({ region }) => region);
}

const REFUSED =
  'consumers there are refused as soon as the token that they have is retired (keyturn pause keeps it)';

const failed = ({ region, message = 'AWS says no reason' }: Replica): Note => ({
  kind: 'ReplicaFailed',
  message:
    `its replica in ${region} failed: ${message}; ${REFUSED}. It is tried again, and overwrites nothing: ` +
    `delete a secret that has its name there, or mend the key in ${region} and what the role of rotate may do with it`,
});

const late = ({ region, status }: Replica): Note => ({
  kind: 'ReplicaLate',
  message: `its replica in ${region} is ${status || 'in no status'} an hour after the last change; ${REFUSED}`,
});

const undeclared = (secret: string, { region, status }: Replica): Note => ({
  kind: 'ReplicaUndeclared',
  message:
    `it has a replica in ${region} (${status}), which replicaRegions does not name; it stays, because removing it deletes it at once and for good: ` +
    `once no consumer reads it, aws secretsmanager remove-regions-from-replication --secret-id ${secret} --remove-replica-regions ${region}`,
});

const NOT_REPLICATED: Note = {
  kind: 'NotReplicated',
  message:
    'it gets no replicas: Keyturn replicates only secrets that it made under a name of its own; whoever made it may replicate it',
};

interface Planned {
  readonly actions: readonly ReplicaAction[];
  readonly findings: readonly Finding[];
}

const regionsOf = (replicas: readonly Replica[]) => replicas.map(({ region }) => region).sort();

/** What is to be done, and said, of the replicas of one entry's secret. `described`: absent if nobody looked. */
export function planReplicas(
  policy: Pick<Policy, 'owner' | 'replicaRegions'>,
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
  described: Described | undefined,
  now: number,
): Planned {
  const about = { token: entry.name, secret: entry.secret };
  const noted = (notes: readonly Note[]) => notes.map((note) => ({ ...about, ...note }));
  const only = (...notes: readonly Note[]): Planned => ({ actions: [], findings: noted(notes) });
  const isWanted = (policy.replicaRegions ?? []).length > 0;
  const isOthers = !replicaRegionsOf(policy, entry) || (seen && isAdopted(seen));
  if (isWanted && isOthers) return only(NOT_REPLICATED);
  const wanted = wantedReplicas(policy, entry, seen);
  if (!wanted || !described) return only();
  if ('unreadable' in described) {
    const message = `nobody knows its replicas, because it could not be described: ${described.unreadable}`;
    return only({ kind: 'ReplicasUnknown', message });
  }
  const { replicas = [], changedAt } = described;
  const ours = replicas.filter(({ region }) => wanted.includes(region));
  const broken = ours.filter(({ status }) => status === FAILED);
  const waiting = ours.filter(({ status }) => status !== FAILED && status !== IN_SYNC);
  const slow = now - changedAt >= LATE_MS ? waiting : [];
  const missing = wanted.filter((region) => !ours.some((each) => each.region === region)).sort();
  const replicate = (reason: Replication['reason'], regions: readonly string[]) =>
    regions.length > 0 ? [{ ...about, kind: 'replicate' as const, reason, regions }] : [];
  const check = { ...about, kind: 'check-replicas', reason: 'ReplicaLate' } as const;
  return {
    actions: [
      ...replicate('ReplicaMissing', missing),
      ...replicate('ReplicaFailed', regionsOf(broken)),
      ...(slow.length > 0 ? [{ ...check, regions: regionsOf(slow) }] : []),
    ],
    findings: noted([
      ...broken.map(failed),
      ...slow.map(late),
      ...replicas
        .filter((each) => !ours.includes(each))
        .map((each) => undeclared(entry.secret, each)),
    ]),
  };
}

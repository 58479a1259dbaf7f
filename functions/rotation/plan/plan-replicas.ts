import {
  type Policy,
  type ReplicaRegion,
  replicaRegionsOf,
  type TokenPolicy,
} from '../../policy/policy.ts';
import type { Finding } from '../../run/plan.ts';
import {
  FAILED,
  IN_SYNC,
  REPLICAS_UNKNOWN,
  type Replica,
  type Secret,
} from '../../secrets-manager/secret.ts';
import { HOUR_MS } from '../../time.ts';
import type { ObservedSecret } from '../../tokens/observation.ts';
import { forbidden } from './decide-rotation.ts';
import type { ReplicaAction, ReplicaCheck, Replication } from './rotation-action.ts';
import type { Note } from './rotation-case.ts';
import { differ, isAdopted, shortly, unlessOne } from './secret-keys.ts';

/** A secret as it was described for the sake of its replicas, or why it could not be. */
export type Described = Pick<Secret, 'replicas' | 'changedAt'> | { readonly unreadable: string };

/** How long after its last change a secret's replicas may lag behind it. They mostly take seconds, and every grace period of the defaults is a day. */
const LATE_MS = HOUR_MS;

/** Where a secret is to have replicas. Undefined: nobody makes some. */
const placesOf = (
  policy: Pick<Policy, 'owner' | 'replicaRegions'>,
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
) => (seen && isAdopted(seen) ? undefined : replicaRegionsOf(policy, entry));

/** Whether the replicas that a secret has are looked at, whoever made them: consumers read them all. */
export const isWatched = (
  { replicaRegions }: Pick<Policy, 'replicaRegions'>,
  seen: ObservedSecret | undefined,
): boolean => replicaRegions !== undefined && seen !== undefined && !forbidden(seen);

const REFUSED =
  'consumers there are refused as soon as the token that they have is retired (keyturn pause keeps it)';

const failed = ({ region, message = 'AWS says no reason' }: Replica, isOurs: boolean): Note => ({
  kind: 'ReplicaFailed',
  message:
    `its replica in ${region} failed: ${message}; ${REFUSED}. ` +
    (isOurs
      ? `It is tried again, and overwrites nothing: delete a secret that has its name there, or mend the key in ${region} and what the role of rotate may do with it`
      : `Keyturn does not try it again, because it replicates only secrets that it made under a name of its own: delete a secret that has its name there, or mend the key in ${region}, and replicate it again (aws secretsmanager replicate-secret-to-regions)`),
});

const late = ({ region, status }: Replica): Note => ({
  kind: 'ReplicaLate',
  message: `its replica in ${region} is ${status || 'in no status'} an hour after the last change; ${REFUSED}`,
});

/** Of the replicas that are under another key than they would be made with now. */
const otherKeys = (
  secret: string,
  places: readonly ReplicaRegion[] | undefined,
  replicas: readonly Replica[],
): readonly Note[] =>
  (places ?? []).flatMap(({ region, encryptionKey }) => {
    const replica = replicas.find((each) => each.region === region);
    if (!replica || replica.status === FAILED) return [];
    const [found, wanted] = [shortly(replica.key), shortly(encryptionKey)];
    if (!differ(found, wanted)) return [];
    return [
      {
        kind: 'ReplicaKeyDiffers',
        message:
          `its replica in ${region} is under ${found}, expected ${wanted} as replicaRegions says${unlessOne(found, wanted, 'then leave it, or name the former alias')}; it stays, because consumers there have none from its removal to the run that makes it anew with that key: ` +
          `in a quiet moment, and with a run right after it (keyturn apply --job rotate), aws secretsmanager remove-regions-from-replication --secret-id ${secret} --remove-replica-regions ${region}`,
      },
    ];
  });

const undeclared = (secret: string, { region, status }: Replica): Note => ({
  kind: 'ReplicaUndeclared',
  message:
    `it has a replica in ${region} (${status}), which replicaRegions does not name; it stays, because removing it deletes it at once and for good: ` +
    `once no consumer reads it, aws secretsmanager remove-regions-from-replication --secret-id ${secret} --remove-replica-regions ${region}`,
});

/** @param there Regions of the replicas that it has all the same; undefined: nobody looked */
function notReplicated(regions: readonly string[], there: readonly string[] | undefined): Note {
  const its = there && there.length > 0 ? `; what it has in ${there.join(', ')} is watched` : '';
  return {
    kind: 'NotReplicated',
    message: `Keyturn adds no replica in ${regions.join(', ')}: it does so only for secrets that it made under a name of its own; whoever made this one may replicate it${its}`,
  };
}

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
  const wanted = (policy.replicaRegions ?? []).map(({ region }) => region);
  const places = placesOf(policy, entry, seen);
  const isOurs = places !== undefined;
  const isUnseen = !isWatched(policy, seen) || !described;
  if (isUnseen)
    return !isOurs && wanted.length > 0 ? only(notReplicated(wanted, undefined)) : only();
  if ('unreadable' in described) {
    const message = `nobody knows its replicas, because it could not be described: ${described.unreadable}`;
    return only({ kind: REPLICAS_UNKNOWN, message });
  }
  const { replicas = [], changedAt } = described;
  // Of others' nobody knows which Regions they are meant for.
  const watched = isOurs ? replicas.filter(({ region }) => wanted.includes(region)) : replicas;
  const broken = watched.filter(({ status }) => status === FAILED);
  const waiting = watched.filter(({ status }) => status !== FAILED && status !== IN_SYNC);
  const slow = now - changedAt >= LATE_MS ? waiting : [];
  const missing = wanted.filter((region) => !watched.some((each) => each.region === region)).sort();
  const replicate = (reason: Replication['reason'], regions: readonly string[]) =>
    regions.length > 0 ? [{ ...about, kind: 'replicate' as const, reason, regions }] : [];
  const check = (reason: ReplicaCheck['reason'], found: readonly Replica[]) =>
    found.length > 0
      ? [{ ...about, kind: 'check-replicas' as const, reason, regions: regionsOf(found) }]
      : [];
  return {
    actions: [
      ...(isOurs ? replicate('ReplicaMissing', missing) : []),
      ...(isOurs ? replicate('ReplicaFailed', regionsOf(broken)) : check('ReplicaFailed', broken)),
      ...check('ReplicaLate', slow),
    ],
    findings: noted([
      ...(isOurs || missing.length === 0 ? [] : [notReplicated(missing, regionsOf(watched))]),
      ...broken.map((each) => failed(each, isOurs)),
      ...slow.map(late),
      ...otherKeys(entry.secret, places, replicas),
      ...replicas
        .filter((each) => !watched.includes(each))
        .map((each) => undeclared(entry.secret, each)),
    ]),
  };
}

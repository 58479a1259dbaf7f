import type { Account } from '../../sandbox/aws/account.ts';
import { isOutOfReach, type View } from '../crash/view.ts';
import type { Answered, World } from '../world/world.ts';
import type { Chance } from './chance.ts';

/** What people do to a secret's copies in other Regions. */
export const REPLICA_ACTS = [
  'removes',
  'keeps as a secret of its own',
  'makes where its name is taken',
] as const;
export type ReplicaAct = (typeof REPLICA_ACTS)[number];

const FRANKFURT = 'eu-central-1';
const STOCKHOLM = 'eu-north-1';

/** The Regions in which the secrets of a life are to have copies; undefined: it has none. */
export const drawReplicas = (chance: Chance): readonly string[] | undefined =>
  chance.happens(0.25) ? chance.pick([[FRANKFURT], [FRANKFURT, STOCKHOLM]]) : undefined;

/** The copies of a life's secrets, what people do to them, and whether they are where the policy wants them. */
export function createReplicas(
  { aws, people }: Pick<World, 'aws' | 'people'>,
  account: Account,
  regions: readonly string[],
) {
  const copyIn = (region: string, secret: string) => account.region(region).findByName(secret);
  const isCopy = (region: string, secret: string) =>
    copyIn(region, secret)?.primaryRegion === aws.region;
  let acts = 0;

  /** Keyturn makes copies of what it made itself, if nobody forbids it. */
  const lacking = ({ secrets }: View, made: readonly string[]) =>
    made.flatMap((name) => {
      const secret = secrets.get(name);
      const isAdopted = secret?.tags['keyturn:adopted'] !== undefined;
      if (!secret || isAdopted || isOutOfReach(secret)) return [];
      const missing = regions.filter((region) => !isCopy(region, name));
      return missing.map((region) => `${name} has no copy in ${region}`);
    });

  return {
    async act(act: ReplicaAct, secret: string, region: string): Promise<void> {
      const own = aws.state.secrets[secret];
      if (!own || own.deletedAt !== undefined) return;
      acts += 1;
      const wasCopied = own.replicas[region] !== undefined;
      if (wasCopied) await people.removeReplica(secret, region);
      if (act === 'removes') return;
      const arn = own.arn.replace(aws.region, region);
      account.region(region).save({ ...own, arn, primaryRegion: undefined, replicas: {} });
      if (act === 'makes where its name is taken') await people.replicate(secret, region);
    },
    /** People delete what has the name of a secret and is no copy of it, as the runbook says, and take back what failed for it. */
    async mend(secret: string): Promise<void> {
      for (const region of regions) {
        const other = copyIn(region, secret);
        if (other && !isCopy(region, secret)) account.region(region).remove(other);
        const { failure } = aws.state.secrets[secret]?.replicas[region] ?? {};
        if (failure !== undefined) await people.removeReplica(secret, region);
      }
    },
    /** K: to be called before a run of `rotate` about all secrets, and after it. One that nobody disturbed has made all copies, or says which it could not make. */
    enter(before: View, made: readonly string[]) {
      const actsBefore = acts;
      const lacked = new Set(lacking(before, made));
      const canSee = () => aws.readLagMs === 0 && aws.listLagMs === 0;
      const couldSee = canSee();
      return ({ error }: Answered, after: View): readonly string[] => {
        if (error || acts > actsBefore || !couldSee || !canSee()) return [];
        return lacking(after, made)
          .filter((each) => lacked.has(each))
          .map((each) => `K: rotate ended well, and ${each}`);
      };
    },
    /** D: what is not where it ought to be at the end of a calm time. */
    unsettled: (view: View, made: readonly string[]): readonly string[] =>
      lacking(view, made).map((each) => `D: ${each}`),
  };
}

export type Replicas = ReturnType<typeof createReplicas>;

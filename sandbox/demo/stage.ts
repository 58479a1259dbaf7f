import type { Host } from '../lambda/host.ts';
import type { Sandbox } from '../sandbox.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { Moment } from './timeline.ts';

/** Things that happen while the schedules run: what they leave behind is Keyturn's to mend. */
export interface Incident {
  readonly at: number;
  happen(): Promise<void> | void;
}

export interface Stage {
  readonly sandbox: Sandbox;
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly startAt: number;
  readonly endAt: number;
  readonly tell: (moment: Omit<Moment, 'at'>) => void;
}

/** The version that consumers of a secret get. */
export const currentVersion = ({ aws }: Pick<Sandbox, 'aws'>, secret: string) =>
  Object.values(aws.state.secrets[secret]?.versions ?? {}).find(({ stages }) =>
    stages.includes('AWSCURRENT'),
  );

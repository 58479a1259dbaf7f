import type { Host } from '../lambda/host.ts';
import type { Sandbox } from '../sandbox.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { Moment } from './timeline.ts';

/** Something that goes wrong while the schedules run; Keyturn must repair its effects. */
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
  readonly record: (moment: Omit<Moment, 'at'>) => void;
}

/** The version that consumers of a secret read. */
export const currentVersion = ({ aws }: Pick<Sandbox, 'aws'>, secret: string) =>
  Object.values(aws.state.secrets[secret]?.versions ?? {}).find(({ stages }) =>
    stages.includes('AWSCURRENT'),
  );

import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { Host } from '../lambda/host.ts';
import type { Sandbox } from '../sandbox.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { Invocations } from './invocations.ts';
import type { Moment } from './timeline.ts';

/** Something that people or machines do while the schedules run; Keyturn must cope with it. */
export interface Incident {
  readonly at: number;
  happen(): Promise<void> | void;
}

export interface Stage {
  readonly sandbox: Sandbox;
  readonly host: Host;
  readonly clock: VirtualClock;
  /** A person's, who may do anything. */
  readonly secrets: SecretsManagerClient;
  readonly startAt: number;
  readonly endAt: number;
  readonly invocations: Invocations;
  readonly record: (moment: Omit<Moment, 'at'>) => void;
  /** Something is as it must never be. */
  readonly broken: (what: string) => void;
  /** People restart all consumers of these secrets when AWSCURRENT moves, because of an emergency. */
  readonly emergencies: Set<string>;
}

/** Its id in Secrets Manager says nothing of its token: read the value. */
const currentVersion = ({ aws }: Pick<Sandbox, 'aws'>, secret: string) =>
  Object.values(aws.state.secrets[secret]?.versions ?? {}).find(({ stages }) =>
    stages.includes('AWSCURRENT'),
  );

const valueSchema = z.object({ token: z.string(), tokenId: z.string() });

/** What consumers of a secret read now. Throws if that is no value of Keyturn's. */
export function currentValue(sandbox: Pick<Sandbox, 'aws'>, secret: string) {
  const text = currentVersion(sandbox, secret)?.secretString ?? '{}';
  return { text, ...valueSchema.parse(JSON.parse(text)) };
}

export const short = (id: string) => id.slice(0, 8);

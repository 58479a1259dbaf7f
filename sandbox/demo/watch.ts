import { z } from 'zod';
import type { Aws } from '../aws/server.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { BUSY_FOR_MS, type Consumer, PACE } from './consumer.ts';

/** What the rule of examples/restart-on-rotation listens to. */
const movedSchema = z.object({
  source: z.literal('aws.secretsmanager'),
  detailType: z.literal('Secret Label Updated'),
  detail: z.object({ name: z.string(), labelUpdated: z.literal('AWSCURRENT') }),
});

export interface Watched {
  readonly aws: Aws;
  readonly clock: VirtualClock;
  /** Those that restart when AWSCURRENT of their secret moves, and those that do not. */
  readonly consumers: readonly { readonly consumer: Consumer; readonly listens: boolean }[];
  /** Secrets whose consumers are all restarted. */
  readonly emergencies: ReadonlySet<string>;
  /** Checks what must hold for a secret. */
  readonly check: (secret: string) => void;
}

/** From right before AWSCURRENT moves until every router has learnt of everything, consumers work hard. */
export function watchPromotions(watched: Watched): void {
  const { aws, clock, consumers, emergencies, check } = watched;
  const of = (secret: string) => consumers.filter(({ consumer }) => consumer.secret === secret);

  const onMoved = (secret: string) => {
    for (const { consumer, listens } of of(secret)) {
      consumer.hurry();
      if (listens || emergencies.has(secret)) consumer.restart();
    }
    check(secret);
    for (let ms = PACE.busyMs; ms <= BUSY_FOR_MS; ms += PACE.busyMs) {
      clock.at(clock.now() + ms, () => check(secret));
    }
  };
  aws.onEvent = (event) => {
    const moved = movedSchema.safeParse(event);
    if (moved.success) onMoved(moved.data.detail.name);
  };

  const nameOf = (subject = '') =>
    Object.values(aws.state.secrets).find(({ arn }) => arn === subject)?.name ?? subject;
  const { intercept } = aws;
  aws.intercept = async (call, effect) => {
    if (call.operation === 'UpdateSecretVersionStage') {
      const secret = nameOf(call.subject);
      check(secret);
      await Promise.all(of(secret).map(({ consumer }) => consumer.work()));
    }
    return intercept(call, effect);
  };
}

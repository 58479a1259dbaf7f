import { z } from 'zod';
import type { Stage } from './stage.ts';

const queueSchema = z.object({ QueueUrl: z.string() });
const receivedSchema = z
  .object({ Messages: z.array(z.object({ Body: z.string(), ReceiptHandle: z.string() })) })
  .optional();
const eventSchema = z.object({ 'detail-type': z.string() });

/** A subscriber to Keyturn's events, as an operator would set it up: a rule on the bus, and a queue. */
export interface Subscriber {
  /** Every event so far, as text. */
  receive(): Promise<readonly string[]>;
}

export const typeOf = (event: string) => eventSchema.parse(JSON.parse(event))['detail-type'];

export async function subscribe({ aws }: Stage, account: string, region: string) {
  const name = 'keyturn-events';
  const { QueueUrl } = queueSchema.parse(await aws('sqs', 'create-queue', '--queue-name', name));
  const pattern = JSON.stringify({ source: ['keyturn'] });
  await aws('events', 'put-rule', '--name', name, '--event-pattern', pattern);
  const target = `Id=queue,Arn=arn:aws:sqs:${region}:${account}:${name}`;
  await aws('events', 'put-targets', '--rule', name, '--targets', target);

  const received: string[] = [];
  const receiveBatch = async () => {
    const asked = ['--queue-url', QueueUrl, '--max-number-of-messages', '10'];
    const messages = receivedSchema.parse(await aws('sqs', 'receive-message', ...asked));
    received.push(...(messages?.Messages ?? []).map(({ Body }) => Body));
    return messages !== undefined;
  };
  const subscriber: Subscriber = {
    async receive() {
      while (await receiveBatch());
      return received;
    },
  };
  return subscriber;
}

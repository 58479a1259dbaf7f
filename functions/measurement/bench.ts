import {
  judgeAnswer,
  judgeError,
  type Probe,
  type ProbeAnswer,
  requestFor,
} from '../data-plane/judge.ts';
import type { MintedToken } from '../management-api/management-api.ts';
import type { Permission } from '../management-api/token.ts';
import type { MeasureTools } from '../run/look-tools.ts';
import { messageOf } from '../run/message-of.ts';
import { formatInstant, MINUTE_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import { type Cluster, isInfluxError, MeasurementError, mayBeDone } from './cluster.ts';
import type { Measured } from './facts.ts';
import type { Change } from './samples.ts';

/** Longer than a measurement, and no longer than it must be: one that is cut off leaves nothing that works. */
const LIFE_MS = 20 * MINUTE_MS;

/** Where a measurement works: with a database of its own, and tokens of its own. */
export interface Bench {
  readonly tools: MeasureTools;
  readonly cluster: Cluster;
  readonly database: string;
  /** With which all its tokens are described. */
  readonly description: string;
  /** Mints a token that is deleted at the end, and says when. It expires by itself. */
  mint(
    permissions: readonly Permission[],
    lifeMs?: number,
  ): Promise<MintedToken & { readonly change: Change; readonly expiresAt: number }>;
  readonly minted: readonly string[];
  /** When the last one was minted, an instant; 0: none was. */
  lastMintAt(): number;
  /** Until when a token may live whose minting was asked for and not answered. Undefined: there is none. */
  unansweredUntil(): number | undefined;
  /** Mints no more; resolves when no minting is under way. */
  close(): Promise<void>;
  /** One probe, on a connection of its own. `status` is absent if nobody answered. */
  probe(
    value: TokenValue,
    action: Probe['action'],
  ): Promise<{ readonly answer: ProbeAnswer; readonly status?: number | undefined }>;
}

export function createBench(
  tools: MeasureTools,
  cluster: Cluster,
  { database, description }: Pick<Bench, 'database' | 'description'>,
): Bench {
  const { now, send } = tools;
  const minted: string[] = [];
  const unanswered: number[] = [];
  const underWay = new Set<Promise<unknown>>();
  let mintedAt = 0;
  let isClosed = false;
  return {
    tools,
    cluster,
    database,
    description,
    minted,
    lastMintAt: () => mintedAt,
    unansweredUntil: () => (unanswered.length > 0 ? Math.max(...unanswered) : undefined),
    async close() {
      isClosed = true;
      await Promise.allSettled(underWay);
    },
    async mint(permissions, lifeMs = LIFE_MS) {
      if (isClosed) throw new MeasurementError('the measurement was over');
      let from = now();
      const expiresAt = Math.ceil((from + lifeMs) / 1_000) * 1_000;
      const minting = cluster.mint(description, permissions, formatInstant(expiresAt), (said) => {
        if (mayBeDone(said)) unanswered.push(expiresAt);
        // The one that is answered in the end is another one.
        from = now();
      });
      underWay.add(minting);
      const token = await minting.finally(() => underWay.delete(minting));
      minted.push(token.token.id);
      mintedAt = now();
      return { ...token, change: { from, to: mintedAt }, expiresAt };
    },
    async probe(value, action) {
      const asked = { action, database };
      try {
        const answer = await send('dataPlane', requestFor(asked, value));
        return { ...judgeAnswer(answer, asked), status: answer.status };
      } catch (error) {
        if (!isInfluxError(error)) throw error;
        return { ...judgeError(error, asked), status: error.status };
      }
    },
  };
}

/** What cannot be measured keeps nothing else from it, and says why. */
export async function measured<T>(measure: () => Promise<T>): Promise<Measured<T>> {
  try {
    return { value: await measure() };
  } catch (error) {
    return { why: messageOf(error) };
  }
}

import { InfluxError } from '../management-api/influx-error.ts';
import { createTransport } from '../management-api/transport.ts';
import type { TokenValue } from '../token-value.ts';
import { judgeAnswer, judgeError, type Probe, type ProbeResult, requestFor } from './judge.ts';

export interface ClusterAddress {
  readonly url: string;
  /** PEM of the certificate authorities to trust instead of the public ones. */
  readonly ca?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** No probe takes longer, however slowly its answer comes. */
export const LONGEST_PROBE_MS = 10_000;
/** The answers to both probes have a few bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks the cluster by one request whether it accepts a token for `probe`. Every request has its own
 * connection: one that is kept open would always reach the same router, and each router has its own copy
 * of the tokens.
 */
export async function ask(
  options: ClusterAddress,
  token: TokenValue,
  probe: Probe,
  longestMs = LONGEST_PROBE_MS,
): Promise<ProbeResult> {
  const transport = createTransport({
    ...options,
    connections: 1,
    keepAlive: false,
    totalMs: longestMs,
    maxBytes: MAX_ANSWER_BYTES,
  });
  try {
    return judgeAnswer(await transport.send(requestFor(probe, token)), probe);
  } catch (error) {
    if (!(error instanceof InfluxError)) throw error;
    return judgeError(error, probe);
  } finally {
    await transport.disconnect();
  }
}

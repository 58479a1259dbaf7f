import { createDataPlane, type DataPlaneOptions } from '../../../functions/data-plane/probe.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { fakeTiming } from '../fake-timing.ts';
import { type OddAnswer, startOddServer } from '../management-api/odd-server.ts';

export const VALUE = new TokenValue(`apiv1_${'5'.repeat(64)}`);

export const connectDataPlane = (url: string, more: Partial<DataPlaneOptions> = {}) =>
  createDataPlane({ url, deadline: () => Number.POSITIVE_INFINITY, ...fakeTiming(), ...more });

/** A data plane whose probes are answered by their number, and the time that its waits take. */
export async function answering(
  answer: (index: number, now: number) => OddAnswer | 'reset' | 'silence',
) {
  const timing = fakeTiming();
  const server = await startOddServer((_request, index) => answer(index, timing.now()));
  return { server, timing, dataPlane: connectDataPlane(server.url, timing) };
}

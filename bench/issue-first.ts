import type { Issued } from './fleet-state.ts';
import { openBench } from './world.ts';

/** A token that a run has issued and seen accepted, some minutes ago by this machine's clock. */
export async function issueFirst(): Promise<Issued> {
  const bench = await openBench({
    tokens: 1,
    writesPerSecond: 20,
    from: Date.now() - 3_600_000,
    delayMs: 0,
  });
  try {
    return await bench.issueFirst();
  } finally {
    await bench.close();
  }
}

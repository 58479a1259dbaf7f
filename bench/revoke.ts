import type { RevocationReport } from '../functions/revocation/report.ts';
import { during } from './calls.ts';
import type { Row } from './table.ts';
import { openBench } from './world.ts';

const TOKENS = 30;
const DAY_MS = 86_400_000;

const LISTING = 'GET /tokens';
const READING = 'GET /tokens/{id}';

/** How often one order about a fleet reads the cluster's tokens: all of them, or one. */
export async function measureRevoke(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const way of ['replace', 'freeze', 'delete'] as const) {
    const bench = await openBench({ tokens: TOKENS, writesPerSecond: 20, delayMs: 5_000 });
    try {
      bench.addOthers(await bench.issueFirst());
      await bench.clock.runUntil(bench.clock.now() + DAY_MS);
      const confirm = new URL(bench.cluster.url).host;
      const order = { all: true, confirm, reason: 'a laptop is gone', way };
      const answers: unknown[] = [];
      const calls = await during(bench, async () => answers.push(await bench.run('revoke', order)));
      // After all were frozen or deleted, no string is left beside which a refusal shows something.
      const { done, confirmed } = answers[0] as RevocationReport;
      if (!done || (way === 'replace' && !confirmed)) throw new Error(`${way}: not all was done`);
      rows.push(
        {
          figure: `${way} ${TOKENS} tokens: listings read`,
          unit: 'count',
          value: calls[LISTING] ?? 0,
          goal: { of: 'this', atMost: 3, noise: 0 },
        },
        {
          figure: `${way} ${TOKENS} tokens: reads of one token, each`,
          unit: 'calls',
          value: (calls[READING] ?? 0) / TOKENS,
          goal: { of: 'this', atMost: 1, noise: 0 },
        },
      );
    } finally {
      await bench.close();
    }
  }
  return rows;
}

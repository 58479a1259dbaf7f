import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const PAGE = resolve(import.meta.dirname, '../docs/e2e-transcript.md');

const FENCE = '```';

/** @param printed what a run without a failure has printed, line by line */
export function record(printed: readonly string[]): void {
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(
    PAGE,
    `# Deployed to an emulator

What \`npm run e2e\` printed on ${day}; \`npm run e2e -- --record\` runs it and writes this page, unless something failed. Each line is a step that looked at the
state of the cluster, of Secrets Manager and of the emulator, and the seconds that it took; a test holds that the steps are those of \`e2e/\`.

${FENCE}text
${printed.join('\n').trim()}
${FENCE}
`,
  );
}

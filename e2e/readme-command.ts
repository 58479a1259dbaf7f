import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { OWNER } from './policy.ts';

const README = resolve(import.meta.dirname, '../README.md');

/**
 * The README's shell command that contains `words`, with the names of this deployment.
 * @throws Error if the README has no such command
 */
export function readmeCommand(words: string): string {
  const blocks = readFileSync(README, 'utf8').split(/\n\s*\n/);
  const block = blocks.find((each) => each.startsWith('    ') && each.includes(words));
  if (block === undefined) throw new Error(`found no command with "${words}" in the README`);
  // Version 1 of the AWS CLI, which PyPI has, does not have this option and needs none.
  return block
    .replace(/ --cli-binary-format \S+/, '')
    .replaceAll('keyturn-prod-', `keyturn-${OWNER}-`);
}

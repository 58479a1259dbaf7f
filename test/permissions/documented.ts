import { readFileSync } from 'node:fs';
import type { Statement } from './evaluate.ts';

/** The first policy in docs/operations.md below a heading. */
export function documented(heading: string): readonly Statement[] {
  const text = readFileSync('docs/operations.md', 'utf8');
  const section = text.slice(text.indexOf(heading));
  const [, json = ''] = /```json\n(\{\s+"Version": "2012-10-17"[\s\S]*?)```/.exec(section) ?? [];
  return JSON.parse(json).Statement;
}

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { askAll, readFacts } from '../../../e2e/real/answers.ts';
import { createCluster } from '../../../sandbox/cluster/server.ts';
import { START } from './fixture.ts';

const { cases } = readFacts();
const answers = await askAll(createCluster({ clock: { now: () => START } }), cases);
const unlike = cases.filter(({ sandbox }) => sandbox !== undefined);

describe('the sandbox answers as influxd did', () => {
  test.each(
    cases.map(({ what, real, sandbox }, index) => ({
      what: sandbox ? `${what} (otherwise, as listed)` : what,
      expected: sandbox ?? real,
      answer: answers[index],
    })),
  )('$what', ({ expected, answer }) => expect(answer).toEqual(expected));
});

test('what it answers otherwise has a reason in docs/sandbox.md', () => {
  const page = readFileSync('docs/sandbox.md', 'utf8').replaceAll(/\s+/g, ' ');
  for (const { real, sandbox, because } of unlike) {
    expect(sandbox).not.toEqual(real);
    expect(because).toBeTruthy();
    expect(page).toContain(because);
  }
});

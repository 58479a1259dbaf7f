import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, normalize, posix } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { anchorsIn } from './anchors.ts';

const PAGES = [...globSync('*.md'), ...globSync('docs/*.md')].sort();
/** For those who change the code, of which a package has what was built alone. */
const OF_THE_REPOSITORY = new Set(['CONTRIBUTING.md']);

/** Those of a page that lead to another file, or to a heading; each with that file's path in the repository. */
const linksOf = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)/g)].map(
    ([link, path = '', anchor]) => ({
      link,
      anchor,
      target: path === '' ? page : normalize(join(posix.dirname(page), path)),
    }),
  );

test('every link leads to a file that is there, and to a heading of it', () => {
  const broken = PAGES.flatMap((page) =>
    linksOf(page)
      .filter(
        ({ target, anchor }) =>
          !existsSync(target) || (anchor !== undefined && !anchorsIn(target).includes(anchor)),
      )
      .map(({ link }) => `${page}: ${link}`),
  );
  expect(PAGES.length).toBeGreaterThan(20);
  expect(broken).toEqual([]);
});

describe('in the package', () => {
  let packed: readonly string[];

  beforeAll(() => {
    const answer = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    packed = JSON.parse(answer)[0].files.map(({ path }: { path: string }) => path);
  });

  test('every link leads to a file or a folder of the package', () => {
    const pages = packed.filter((file) => PAGES.includes(file) && !OF_THE_REPOSITORY.has(file));
    const leadingNowhere = pages.flatMap((page) =>
      linksOf(page)
        .filter(({ target }) => !packed.some((file) => `${file}/`.startsWith(`${target}/`)))
        .map(({ link }) => `${page}: ${link}`),
    );
    expect(pages.length).toBeGreaterThan(20);
    expect(leadingNowhere).toEqual([]);
  });
});

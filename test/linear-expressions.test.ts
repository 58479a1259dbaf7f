import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { checkSync } from 'recheck';
import { expect, test, vi } from 'vitest';

const FOLDERS = ['bin', 'functions'];
const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`));

/** Every expression, as `/source/flags`, with the file that has it first. */
type Found = Map<
  string,
  { readonly file: string; readonly source: string; readonly flags: string }
>;

function add(found: Found, file: string, { source, flags }: { source: string; flags: string }) {
  const key = `/${source}/${flags}`;
  if (!found.has(key)) found.set(key, { file, source, flags });
}

function addLiterals(found: Found, file: string): void {
  const { program } = parseSync(file, readFileSync(file, 'utf8'));
  new Visitor({
    Literal(node) {
      if ('regex' in node)
        add(found, file, { source: node.regex.pattern, flags: node.regex.flags });
    },
  }).visit(program);
}

/** They read a policy when they load, and have no expression of their own. */
const ENTRIES = /^functions\/(?:rotate|reap|enforce|revoke|secrets-manager-rotation)\.ts$/;

/** What a module puts together while it loads. */
async function addConstructed(found: Found): Promise<void> {
  let loading = '';
  class Recorded extends RegExp {
    constructor(...parameters: ConstructorParameters<typeof RegExp>) {
      super(...parameters);
      add(found, loading, this);
    }
  }
  vi.stubGlobal('RegExp', Recorded);
  for (const file of files.filter((each) => each.startsWith('functions/') && !ENTRIES.test(each))) {
    loading = file;
    await import(join(import.meta.dirname, '..', file));
  }
  vi.unstubAllGlobals();
}

/**
 * Each repetition has an end, so that the steps at one character have one too. What only tries an expression out
 * cannot tell such steps from a square.
 */
const isBounded = (source: string) =>
  !/[*+]|\{\d+,\}/.test(source.replace(/\\.|\[(?:\\.|[^\]\\])*\]/g, ''));

test('no expression takes more time than in proportion to the text', async () => {
  const found: Found = new Map();
  for (const file of files) addLiterals(found, file);
  await addConstructed(found);
  expect(found.size).toBeGreaterThan(100);
  const slow = [...found.values()].flatMap(({ file, source, flags }) => {
    const diagnosis = checkSync(source, flags, { timeout: 120_000 });
    if (diagnosis.status === 'safe') return [];
    const { type, summary } =
      diagnosis.status === 'vulnerable'
        ? diagnosis.complexity
        : { type: 'unknown', summary: diagnosis.error.kind };
    const isLinear = type === 'polynomial' && isBounded(source);
    return isLinear ? [] : `${file}: /${source}/${flags} is ${summary}`;
  });
  expect(slow).toEqual([]);
}, 900_000);

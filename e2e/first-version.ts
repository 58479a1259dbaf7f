import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './processes.ts';

/** The last commit of version 0.1.0. */
const COMMIT = 'fea8ccdd2d5c7389804734cdd966dad1c146da16';

/**
 * Checks version 0.1.0 out into a folder, with the packages of this checkout, which has those of 0.1.0 in the same versions.
 * Of a shallow clone, which lacks that commit, it asks the clone's origin for it.
 * @returns the folder with its `cdk.json`
 * @throws Error that says how to get the commit
 */
export async function checkOutFirstVersion(repository: string, folder: string): Promise<string> {
  const checkout = join(folder, 'first-version');
  mkdirSync(checkout);
  const git = (...args: readonly string[]) => run('git', ['-C', checkout, ...args]);
  await git('init', '--quiet');
  const fetchFrom = (source: string) => git('fetch', '--quiet', '--depth', '1', source, COMMIT);
  const origin = () => run('git', ['-C', repository, 'remote', 'get-url', 'origin']);
  try {
    await fetchFrom(repository).catch(async () => fetchFrom((await origin()).trim()));
  } catch (cause) {
    throw new Error(
      `found no commit ${COMMIT} (version 0.1.0) in this clone nor at its origin, expected it in one of them; git fetch --unshallow gets it\n${(cause as Error).message}`,
      { cause },
    );
  }
  await git('checkout', '--quiet', 'FETCH_HEAD');
  symlinkSync(join(repository, 'node_modules'), join(checkout, 'node_modules'));
  return checkout;
}

import type { Database, DatabaseObservation } from '../management-api/database.ts';
import { skewOf } from '../run/api-time.ts';
import type { Tools } from '../run/tools.ts';

export type Databases = ReadonlyMap<string, Database>;

/** One listing serves many changes, and is too young for a person to have changed something since. */
const FRESH_MS = 5_000;
const WAITS_MS = [1_000, 2_000, 4_000, 8_000];

/** The databases as they are now. The API has no `GET` for one database, so all are listed. */
export interface DatabaseReading {
  /** The database as listed at most five seconds ago, or as the answer to its last change showed it. */
  recent(name: string): Promise<Database | undefined>;
  /** Remembers the answer to a change. */
  learn(database: Database): void;
  /** To call after a change whose effect is not known: the next `recent` lists again. */
  forget(name: string): void;
}

/**
 * Lists every database of the cluster, for a plan.
 * @throws ObservationError if the two clocks differ by more than five minutes
 */
export async function observeDatabases({
  api,
  now,
}: Pick<Tools, 'api' | 'now'>): Promise<DatabaseObservation> {
  const { databases, at } = await api.listDatabases();
  return { at, skewMs: skewOf(at, now()), databases: byName(databases) };
}

async function list({ api }: Pick<Tools, 'api'>): Promise<Databases> {
  const { databases } = await api.listDatabases();
  return byName(databases);
}

function byName(databases: readonly Database[]): Databases {
  return new Map(databases.map((database) => [database.name, database]));
}

export function createReading(tools: Pick<Tools, 'api' | 'now'>): DatabaseReading {
  const learned = new Map<string, Database>();
  let listing: Promise<Databases> | undefined;
  let listedAt = 0;
  return {
    async recent(name) {
      const known = learned.get(name);
      if (known) return known;
      if (!listing || tools.now() - listedAt > FRESH_MS) {
        listedAt = tools.now();
        listing = list(tools);
      }
      return (await listing).get(name);
    },
    learn(database) {
      learned.set(database.name, database);
    },
    forget(name) {
      learned.delete(name);
      listing = undefined;
    },
  };
}

/**
 * Lists the databases until they are as expected, for at most 15 seconds: a server may answer from a cache.
 */
export async function readUntil(
  expected: (databases: Databases) => boolean,
  tools: Pick<Tools, 'api' | 'now' | 'sleep' | 'deadline'>,
): Promise<Databases> {
  let databases = await list(tools);
  for (const wait of WAITS_MS) {
    if (expected(databases) || tools.now() + wait >= tools.deadline) break;
    await tools.sleep(wait);
    databases = await list(tools);
  }
  return databases;
}

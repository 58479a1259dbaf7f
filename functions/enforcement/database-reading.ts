import type { Database, DatabaseObservation } from '../management-api/database.ts';
import { skewOf } from '../run/api-time.ts';
import type { Tools } from '../run/tools.ts';

export type Databases = ReadonlyMap<string, Database>;

/** Long enough to serve many changes with one listing, too short for a person to come between. */
const FRESH_MS = 5_000;
const WAITS_MS = [1_000, 2_000, 4_000, 8_000];

/** What the databases are now; the API tells of one only by listing all. */
export interface DatabaseReading {
  /** At most a few seconds old, or what the answer to a change of it said. */
  recent(name: string): Promise<Database | undefined>;
  learn(database: Database): void;
  /** After a call of which nobody knows what it did. */
  forget(name: string): void;
}

/**
 * Every database of the cluster, to plan on.
 * @throws ObservationError if the two clocks differ by more than approvals could bear
 */
export async function observeDatabases({
  api,
  now,
}: Pick<Tools, 'api' | 'now'>): Promise<DatabaseObservation> {
  const { databases, at } = await api.listDatabases();
  const byName = new Map(databases.map((database) => [database.name, database]));
  return { at, skewMs: skewOf(at, now()), databases: byName };
}

async function list({ api }: Pick<Tools, 'api'>): Promise<Map<string, Database>> {
  const { databases } = await api.listDatabases();
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
 * Lists the databases until they are as expected, or until it has waited long enough for a server
 * that answers from a cache.
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

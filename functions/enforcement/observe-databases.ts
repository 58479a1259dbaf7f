import type { ManagementApi } from '../management-api/client.ts';
import type { DatabaseObservation } from '../management-api/database.ts';
import { skewOf } from '../tokens/observe.ts';

interface Sources {
  readonly api: Pick<ManagementApi, 'listDatabases'>;
  readonly now: () => number;
}

/** @throws ObservationError if the two clocks differ by more than ages could bear */
export async function observeDatabases({ api, now }: Sources): Promise<DatabaseObservation> {
  const { databases, at } = await api.listDatabases();
  const byName = new Map(databases.map((database) => [database.name, database]));
  return { at, skewMs: skewOf(at, now()), databases: byName };
}

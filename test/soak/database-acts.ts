import { findActive } from '../../sandbox/cluster/state.ts';
import type { World } from '../world/world.ts';
import type { DatabaseAct } from './databases.ts';

/** There is none of that name, or there is one already. */
const REFUSED = /: (?:400|404|409) /;

/** A person does something to a database; nothing, where there is nothing to do it to. */
export async function actOn(
  { people, cluster }: Pick<World, 'people' | 'cluster'>,
  about: DatabaseAct,
): Promise<void> {
  const { act, database } = about;
  const happen = () => {
    switch (act) {
      case 'changes':
        return people.changeDatabase(database, about.to);
      case 'makes':
        return people.createDatabase(database);
      case 'deletes':
        return people.deleteDatabase(database);
      case 'renames':
        return people.renameDatabase(database, about.name);
      case 'undeletes': {
        const { databases } = cluster.state;
        const deleted = databases.findLast(({ name }) => name === database);
        const isGone = deleted && !findActive(databases, database);
        return isGone ? people.undeleteDatabase(deleted.id) : undefined;
      }
      default:
        act satisfies never;
        throw new Error('unknown act');
    }
  };
  try {
    await happen();
  } catch (error) {
    if (!REFUSED.test(String(error))) throw error;
  }
}

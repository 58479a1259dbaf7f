import type { Permission } from '../management-api/token.ts';
import type { Tools } from '../run/tools.ts';
import type { TokenValue } from '../token-value.ts';

/** As many connections, each to a router by chance: every router has its own copy of the tokens. */
const PROBES = 10;

/**
 * Probes a string for one permission, on ten connections. `accepted`: by one of them at least; `refused`:
 * by all of them.
 */
export async function burst(
  value: TokenValue,
  { action, resource }: Permission,
  { dataPlane }: Pick<Tools, 'dataPlane'>,
): Promise<'accepted' | 'refused' | 'indeterminate'> {
  const probe = {
    action: action === 'write' ? ('write' as const) : ('read' as const),
    database: resource,
  };
  const answers = await Promise.all(
    Array.from({ length: PROBES }, () => dataPlane.probe(value, probe)),
  );
  if (answers.includes('accepted')) return 'accepted';
  return answers.every((answer) => answer === 'refused') ? 'refused' : 'indeterminate';
}

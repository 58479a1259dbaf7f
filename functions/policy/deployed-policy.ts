import type { DocumentMark } from './document-mark.ts';
import type { Policy } from './policy.ts';

/**
 * What stands beside a function: its policy as the deployment checked it, with all defaults. The bundle comes from the same package and
 * in the same archive, so that no start judges it again.
 */
export interface DeployedPolicy {
  readonly policy: Policy;
  /** By which people compare it with their files. */
  readonly mark: DocumentMark;
}

/** JSON knows no integers of 64 bits. No key that people may choose begins so. */
const INTEGER = '$integer';

export const formatDeployedPolicy = (deployed: DeployedPolicy): string =>
  JSON.stringify(deployed, (_key, value) =>
    typeof value === 'bigint' ? { [INTEGER]: String(value) } : value,
  );

/** To revive takes many times as long as to parse, and most of a large policy are tokens, which have no such integers. */
function revived(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const integer: unknown = Reflect.get(value, INTEGER);
  if (integer !== undefined) return BigInt(String(integer));
  for (const [key, each] of Object.entries(value)) Reflect.set(value, key, revived(each));
  return value;
}

/** @throws Error if it is not what `formatDeployedPolicy` wrote */
export function readDeployedPolicy(text: string): DeployedPolicy {
  const parsed: unknown = JSON.parse(text);
  const { policy, mark } = Object(text.includes(INTEGER) ? revived(parsed) : parsed);
  if (policy && mark) return { policy, mark };
  throw new Error(
    'policy.json: found no policy and mark, expected what the deployment writes there; deploy the stack again',
  );
}

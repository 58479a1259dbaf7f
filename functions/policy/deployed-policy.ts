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

/** @throws Error if it is not what `formatDeployedPolicy` wrote */
export function readDeployedPolicy(text: string): DeployedPolicy {
  const revived: unknown = JSON.parse(text, (_key, value) =>
    value?.[INTEGER] === undefined ? value : BigInt(value[INTEGER]),
  );
  const { policy, mark } = Object(revived) as Partial<DeployedPolicy>;
  if (policy && mark) return { policy, mark };
  throw new Error(
    'policy.json: found no policy and mark, expected what the deployment writes there; deploy the stack again',
  );
}

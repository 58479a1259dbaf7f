/** The policy file where nobody names one. */
export const DEFAULT_POLICY = 'keyturn.yaml';

/** The variable that names the policy files for `cdk` and for `keyturn` alike. */
export const POLICY_VARIABLE = 'KEYTURN_POLICY';

/**
 * The files that people name with commas between them: the CDK CLI keeps only the last one of a repeated `-c policy=`.
 * Absent, or nothing: `keyturn.yaml`.
 */
export function namedPolicyFiles(text: string | undefined): readonly [string, ...string[]] {
  const [first = DEFAULT_POLICY, ...others] = (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  return [first, ...others];
}

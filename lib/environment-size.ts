import { ENVIRONMENT } from '../functions/environment.ts';
import { PolicyFileError } from './policy-file.ts';

/** AWS Lambda quotas. Lambda measures the variables as JSON. */
const MOST_ENVIRONMENT_BYTES = 4_096;

/**
 * What only the deployment knows counts as long as CDK's placeholder for it.
 * @throws PolicyFileError if Lambda would refuse the variables of a function
 */
export function refuseLargeEnvironment(
  entry: string,
  environment: Readonly<Record<string, string>>,
  file: string,
): void {
  const bytes = Buffer.byteLength(JSON.stringify(environment));
  if (bytes <= MOST_ENVIRONMENT_BYTES) return;
  const sizeOf = (name: string) =>
    environment[name] === undefined ? 0 : JSON.stringify(environment[name]).length;
  const [regions, tags] = [sizeOf(ENVIRONMENT.replicaRegions), sizeOf(ENVIRONMENT.secretTags)];
  throw new PolicyFileError(
    `${file}: deployment.replicaRegions and deployment.tags (or the construct's): found ${bytes.toLocaleString('en')} bytes in the environment of ${entry}, ${regions.toLocaleString('en')} of them for Regions and ${tags.toLocaleString('en')} for tags, expected at most ${MOST_ENVIRONMENT_BYTES.toLocaleString('en')}, which is Lambda's limit; name fewer Regions, name keys by an alias (alias/tokens) in place of an ARN, or have fewer or shorter tags`,
  );
}

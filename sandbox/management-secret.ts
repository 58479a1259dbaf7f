import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PERSON } from './aws/account.ts';

/** Stores the token as an administrator does before the deployment: only the string. */
export async function createManagementSecret(
  aws: { readonly url: string; readonly region: string },
  name: string,
  managementToken: string,
): Promise<void> {
  const client = new SecretsManagerClient({
    endpoint: aws.url,
    region: aws.region,
    credentials: PERSON,
  });
  await client.send(new CreateSecretCommand({ Name: name, SecretString: managementToken }));
  client.destroy();
}

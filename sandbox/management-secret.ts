import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PERSON } from './aws/account.ts';

/** Stores the token, or a client's secret, as an administrator does before the deployment: only the string. */
export async function createManagementSecret(
  aws: { readonly url: string; readonly region: string },
  name: string,
  text: string,
): Promise<void> {
  const client = new SecretsManagerClient({
    endpoint: aws.url,
    region: aws.region,
    credentials: PERSON,
  });
  await client.send(new CreateSecretCommand({ Name: name, SecretString: text }));
  client.destroy();
}

import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Stores the token as an administrator does before the deployment: only the string. */
export async function createManagementSecret(
  aws: { readonly url: string; readonly region: string },
  name: string,
  managementToken: string,
): Promise<void> {
  const client = new SecretsManagerClient({
    endpoint: aws.url,
    region: aws.region,
    credentials: { accessKeyId: 'sandbox', secretAccessKey: 'sandbox' },
  });
  await client.send(new CreateSecretCommand({ Name: name, SecretString: managementToken }));
  client.destroy();
}

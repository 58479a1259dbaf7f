import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { isAllowed } from '../permissions/evaluate.ts';
import { readExample, readYaml } from './read-file.ts';

const NAME = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:keyturn/prod';
const metadata = z.strictObject({
  name: z.string(),
  annotations: z.optional(z.record(z.string(), z.string())),
});

/** As the operator's API says (apis/externalsecrets/v1), with what the examples use and no other key. */
const externalSecret = z.strictObject({
  apiVersion: z.literal('external-secrets.io/v1'),
  kind: z.literal('ExternalSecret'),
  metadata,
  spec: z.strictObject({
    refreshInterval: z.string().regex(/^\d+[smh]$/),
    secretStoreRef: z.strictObject({ kind: z.literal('SecretStore'), name: z.string() }),
    target: z.strictObject({ name: z.string() }),
    data: z.array(
      z.strictObject({
        secretKey: z.string().regex(/^[-._a-zA-Z0-9]+$/),
        // Neither `version` nor another stage.
        remoteRef: z.strictObject({ key: z.string(), property: z.literal('token') }),
      }),
    ),
  }),
});
const secretStore = z.strictObject({
  apiVersion: z.literal('external-secrets.io/v1'),
  kind: z.literal('SecretStore'),
  metadata,
  spec: z.strictObject({
    provider: z.strictObject({
      aws: z.strictObject({
        service: z.literal('SecretsManager'),
        region: z.string(),
        auth: z.strictObject({
          jwt: z.strictObject({ serviceAccountRef: z.strictObject({ name: z.string() }) }),
        }),
      }),
    }),
  }),
});
const serviceAccount = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('ServiceAccount'),
  metadata,
});
const secretProviderClass = z.strictObject({
  apiVersion: z.literal('secrets-store.csi.x-k8s.io/v1'),
  kind: z.literal('SecretProviderClass'),
  metadata,
  spec: z.strictObject({
    provider: z.literal('aws'),
    parameters: z.strictObject({ region: z.string(), objects: z.string() }),
  }),
});
const objects = z.array(
  z.strictObject({
    objectName: z.string(),
    objectType: z.literal('secretsmanager'),
    objectAlias: z.string(),
    jmesPath: z.array(z.strictObject({ path: z.literal('token'), objectAlias: z.string() })),
  }),
);
const volume = z.strictObject({
  name: z.string(),
  configMap: z.optional(z.strictObject({ name: z.string() })),
  secret: z.optional(z.strictObject({ secretName: z.string() })),
  csi: z.optional(
    z.strictObject({
      driver: z.literal('secrets-store.csi.k8s.io'),
      readOnly: z.literal(true),
      volumeAttributes: z.strictObject({ secretProviderClass: z.string() }),
    }),
  ),
});
const deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata,
  spec: z.strictObject({
    replicas: z.number(),
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.strictObject({
      metadata: z.strictObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.strictObject({
        serviceAccountName: z.optional(z.string()),
        containers: z.array(
          z.strictObject({
            name: z.string(),
            image: z.string(),
            ports: z.optional(z.array(z.strictObject({ containerPort: z.number() }))),
            readinessProbe: z.optional(
              z.strictObject({ httpGet: z.strictObject({ path: z.string(), port: z.number() }) }),
            ),
            env: z.optional(
              z.array(
                z.strictObject({
                  name: z.string(),
                  valueFrom: z.strictObject({
                    secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }),
                  }),
                }),
              ),
            ),
            // No subPath, which never changes.
            volumeMounts: z.optional(
              z.array(
                z.strictObject({
                  name: z.string(),
                  mountPath: z.string(),
                  readOnly: z.literal(true),
                }),
              ),
            ),
          }),
        ),
        volumes: z.optional(z.array(volume)),
      }),
    }),
  }),
});

const manifest = z.discriminatedUnion('kind', [
  externalSecret,
  secretStore,
  serviceAccount,
  secretProviderClass,
  deployment,
]);

/** The manifests of a file by their kinds, each at most once. */
const manifestsIn = (path: string) =>
  Object.fromEntries(
    readYaml(path).map((each) => {
      const read = manifest.parse(each);
      return [read.kind, read];
    }),
  ) as {
    readonly ExternalSecret: z.infer<typeof externalSecret>;
    readonly SecretStore: z.infer<typeof secretStore>;
    readonly ServiceAccount: z.infer<typeof serviceAccount>;
    readonly SecretProviderClass: z.infer<typeof secretProviderClass>;
    readonly Deployment: z.infer<typeof deployment>;
  };

const podOf = ({ Deployment }: ReturnType<typeof manifestsIn>) => {
  const { spec } = Deployment.spec.template;
  const [container] = spec.containers;
  if (!container) throw new Error('a pod without a container');
  return { ...spec, container };
};

/** The files that a pod finds: where a volume is mounted. */
const mountOf = ({ container }: ReturnType<typeof podOf>, name: string) =>
  container.volumeMounts?.find((mount) => mount.name === name)?.mountPath;

const allowedBy = (path: string, action: string, secret: string) =>
  isAllowed(JSON.parse(readExample(path)).Statement, {
    action: `secretsmanager:${action}`,
    resource: `${NAME}/${secret}-AbCdEf`,
  });

const telegraf = z
  .strictObject({
    agent: z.strictObject({ interval: z.string(), flush_interval: z.string() }),
    secretstores: z.strictObject({
      docker: z.tuple([
        z.strictObject({
          id: z.string(),
          path: z.string().regex(/[^/]$/),
          dynamic: z.literal(true),
        }),
      ]),
    }),
    inputs: z.strictObject({ internal: z.tuple([z.strictObject({})]) }),
    outputs: z.strictObject({
      influxdb_v2: z.tuple([
        z.strictObject({
          urls: z.array(z.url()),
          token: z.string(),
          organization: z.literal(''),
          bucket: z.string(),
        }),
      ]),
    }),
  })
  .parse(parseToml(readExample('telegraf/telegraf.conf')));
const [store] = telegraf.secretstores.docker;
/** The file that Telegraf reads. */
const tokenFile = /^@\{(\w+):(\w+)\}$/.exec(telegraf.outputs.influxdb_v2[0].token) ?? [];

test("Telegraf's configuration names its store, and a file by letters, digits and _", () => {
  expect(tokenFile.slice(1)).toEqual([store.id, 'telegraf']);
});

test('the service on a machine writes the file that Telegraf reads, as the user whose directory it is', () => {
  const service = readExample('telegraf/keyturn-token.service');
  const written = `${store.path}/${tokenFile[2]}`;
  expect(service).toMatch(new RegExp(`^ExecStart=\\S+/read-token.sh \\S+ ${written}$`, 'm'));
  expect(service).toContain(`RuntimeDirectory=${store.path.replace('/run/', '')}\n`);
  expect(service).toContain('RuntimeDirectoryPreserve=yes\n');
});

describe('the CSI driver', () => {
  const manifests = manifestsIn('secrets-store-csi/manifests.yaml');
  const pod = podOf(manifests);
  const { spec, metadata: named } = manifests.SecretProviderClass;
  const [object] = objects.parse(parseYaml(spec.parameters.objects));

  test('puts the file where Telegraf reads it', () => {
    expect(object?.jmesPath).toEqual([{ path: 'token', objectAlias: tokenFile[2] }]);
    const token = pod.volumes?.find(({ csi }) => csi);
    expect(token?.csi?.volumeAttributes.secretProviderClass).toBe(named.name);
    expect(mountOf(pod, token?.name ?? '')).toBe(store.path);
  });

  test('asks for a rotation at the interval of the documents', () => {
    const text = readExample('secrets-store-csi/manifests.yaml');
    expect(text).toContain('--set enableSecretRotation=true --set rotationPollInterval=2m');
  });

  test('may read this secret, as the account that the pod has, and no other', () => {
    expect(pod.serviceAccountName).toBe(manifests.ServiceAccount.metadata.name);
    const policy = 'secrets-store-csi/reader-policy.json';
    for (const action of ['GetSecretValue', 'DescribeSecret']) {
      expect(allowedBy(policy, action, 'telegraf')).toBe(true);
      expect(allowedBy(policy, action, 'grafana')).toBe(false);
    }
    expect(object?.objectName).toBe('keyturn/prod/telegraf');
    expect(allowedBy(policy, 'PutSecretValue', 'telegraf')).toBe(false);
  });
});

describe('the External Secrets Operator', () => {
  const writer = manifestsIn('external-secrets/manifests.yaml');
  const grafana = manifestsIn('grafana/kubernetes.yaml');

  test.each([
    ['a line writer', writer, 'line-writer'],
    ['Grafana', grafana, 'grafana'],
  ])('copies the token of %s, may read it, and restarts its pods', (_whose, manifests, secret) => {
    const { spec } = manifests.ExternalSecret;
    expect(spec.secretStoreRef.name).toBe(writer.SecretStore.metadata.name);
    expect(spec.data.map(({ remoteRef }) => remoteRef.key)).toEqual([`keyturn/prod/${secret}`]);
    expect(manifests.Deployment.metadata.annotations).toEqual({
      'secret.reloader.stakater.com/reload': spec.target.name,
    });
    for (const action of ['GetSecretValue', 'DescribeSecret', 'ListSecretVersionIds']) {
      expect(allowedBy('external-secrets/reader-policy.json', action, secret)).toBe(true);
      expect(allowedBy('external-secrets/reader-policy.json', action, 'telegraf')).toBe(false);
    }
  });

  test('the store has the account whose role it is', () => {
    expect(writer.SecretStore.spec.provider.aws.auth.jwt.serviceAccountRef).toEqual({
      name: writer.ServiceAccount.metadata.name,
    });
  });

  test('the line writer has the token in its environment', () => {
    const { target, data } = writer.ExternalSecret.spec;
    const key = { name: target.name, key: data[0]?.secretKey };
    expect(podOf(writer).container.env).toEqual([
      { name: 'INFLUX_TOKEN', valueFrom: { secretKeyRef: key } },
    ]);
  });

  test('Grafana finds the file that its data sources name', () => {
    const pod = podOf(grafana);
    const { target, data } = grafana.ExternalSecret.spec;
    const token = pod.volumes?.find(({ secret }) => secret?.secretName === target.name);
    const file = `${mountOf(pod, token?.name ?? '')}/${data[0]?.secretKey}`;
    const named = readExample('grafana/datasources.yaml').match(/\$__file\{.*\}/g);
    expect(named).toEqual([`$__file{${file}}`, `$__file{${file}}`]);
    expect(mountOf(pod, 'datasources')).toBe('/etc/grafana/provisioning/datasources');
  });
});

/** As Grafana's documents say (datasources/influxdb/configure). */
const dataSource = {
  name: z.string(),
  uid: z.string(),
  type: z.literal('influxdb'),
  access: z.literal('proxy'),
  url: z.url(),
};
const file = z.string().regex(/^\$__file\{\/.+\}$/);

test("Grafana's data sources take the token as SQL and InfluxQL want it", () => {
  const sources = z.strictObject({
    apiVersion: z.literal(1),
    datasources: z.tuple([
      z.strictObject({
        ...dataSource,
        jsonData: z.strictObject({
          version: z.literal('SQL'),
          dbName: z.string(),
          httpMode: z.literal('POST'),
          insecureGrpc: z.literal(false),
        }),
        secureJsonData: z.strictObject({ token: file }),
      }),
      z.strictObject({
        ...dataSource,
        user: z.string(),
        jsonData: z.strictObject({ dbName: z.string(), httpMode: z.literal('POST') }),
        secureJsonData: z.strictObject({ password: file }),
      }),
    ]),
  });
  expect(() => sources.parse(readYaml('grafana/datasources.yaml')[0])).not.toThrow();
});

import type { Sandbox } from '../../sandbox/sandbox.ts';
import { holderOf } from './holder.ts';
import { readMarker } from './marker.ts';
import type { World } from './world.ts';

type Truth = Pick<
  World,
  'value' | 'string' | 'tokens' | 'labels' | 'holders' | 'tags' | 'hold' | 'events'
>;

/** What both servers hold, whatever they would answer: no lag and no interceptor changes it. */
export function truthOf({ cluster, aws }: Pick<Sandbox, 'cluster' | 'aws'>): Truth {
  const versions = (secret: string) => Object.values(aws.state.secrets[secret]?.versions ?? {});
  const labels = (secret: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      versions(secret).flatMap(({ id, stages }) => stages.map((stage) => [stage, id])),
    );
  const tags = (secret: string) => aws.state.secrets[secret]?.tags ?? {};
  const value = (secret: string, version = labels(secret).AWSCURRENT) =>
    versions(secret).find(({ id }) => id === version)?.secretString ?? '';

  return {
    value,
    string: (secret, version) => stringIn(value(secret, version)),
    labels,
    holders: (secret) =>
      Object.fromEntries(
        versions(secret).flatMap(({ stages, secretString }) => {
          const token = holderOf(secretString, cluster.state.tokens);
          return token ? stages.map((stage) => [stage, token.id]) : [];
        }),
      ),
    tags,
    hold: (secret) => /^\w+/.exec(tags(secret)['keyturn:hold'] ?? '')?.[0],
    tokens: (secret) =>
      cluster.state.tokens
        .filter(({ revokedAt }) => revokedAt === undefined)
        .map(({ id, description, permissions }) => {
          const read = readMarker(description);
          return { id, permissions, text: read?.text ?? description, marker: read?.marker };
        })
        .filter(({ marker }) => secret === undefined || marker?.secret === secret),
    events: (type) =>
      aws.state.events.filter(
        ({ source, detailType }) =>
          source === 'keyturn' && (type === undefined || detailType === type),
      ),
  };
}

/** A secret is a JSON object with the string under `token`, or the string alone. */
function stringIn(value: string): string {
  return value.startsWith('{') ? (JSON.parse(value) as { token: string }).token : value;
}

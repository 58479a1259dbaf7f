import type { Saved } from './laboratory.ts';

const NAMES =
  /apiv1_[\w+/=-]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{16}\b/g;
const INSTANTS = /\b1\d{12}\b|\d{4}-\d\d-\d\dT[\d:.]+Z/g;

/**
 * What a run left behind, as a text that is equal where the same things are at the same places: ids
 * and strings are numbered as they appear, and no instant is told. What is done after either then
 * differs by minutes alone.
 */
export function leftBehind({ cluster, aws, lags, history, deployment }: Saved): string {
  const { looked: _looked, obeyed: _obeyed, limited: _limited, ...kept } = history;
  const tokens = cluster.tokens.map(({ id, description, permissions, revokedAt }) => ({
    id,
    description,
    permissions,
    revokedAt,
  }));
  const secrets = Object.values(aws.secrets).map(
    ({ name, tags, versions, deletedAt, rotation }) => ({
      name,
      tags,
      deletedAt,
      rotatingTo: rotation?.rotatingTo,
      versions: Object.values(versions).map(({ id, secretString, stages }) => [
        id,
        secretString,
        stages,
      ]),
    }),
  );
  const numbers = new Map<string, number>();
  const numberOf = (name: string) => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return `#${number}`;
  };
  return JSON.stringify([tokens, secrets, lags, kept, deployment.policy])
    .replace(INSTANTS, '@')
    .replace(NAMES, numberOf);
}

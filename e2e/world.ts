import type { StoredToken } from '../sandbox/cluster/state.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { OWNER, secretOf } from './policy.ts';

/** The real state, read from the sandbox and not from a function. */
export interface World {
  /** The token that a label names in the secret of an entry of the policy. */
  labelled(entry: string, label: string): StoredToken | undefined;
  /** `undefined` after its deletion. */
  token(id: string): StoredToken | undefined;
  /** Whether the data plane accepts the token's string now. */
  works(id: string, action: 'read' | 'write', database: string): boolean;
  /** The strings of all tokens that were ever stored. */
  strings(): readonly string[];
  /** Secret names, and for each version its labels. */
  versions(): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  database(
    name: string,
  ): { readonly retentionDays: number; readonly maxTables: number } | undefined;
  /** Calls the Management API as an administrator does. */
  manage(method: string, path: string, body?: object): Promise<unknown>;
  /** Moves a token's creation into the past: the cluster's state is this process's own. */
  age(id: string, milliseconds: number): void;
}

const NANOSECONDS_A_DAY = 86_400_000_000_000n;

/** `superseded`, `fenced`, ...: a field that Keyturn wrote into the description. */
export const hasMark = ({ description }: StoredToken, field: string) =>
  description.includes(` ${field}=`);

/** @param owner of the entries that are asked for */
export function readWorld({ cluster, aws }: Sandbox, owner = OWNER): World {
  const token = (id: string) =>
    cluster.state.tokens.find((each) => each.id === id && each.revokedAt === undefined);
  const versionsOf = (secret: string) => Object.values(aws.state.secrets[secret]?.versions ?? {});
  /** By token id: Secrets Manager removes deprecated versions, but their strings are still needed. */
  const seen = new Map<string, string>();
  const remember = () => {
    for (const { name, versions } of Object.values(aws.state.secrets)) {
      for (const { secretString = '' } of Object.values(versions)) {
        if (!name.startsWith(secretOf('', owner))) continue;
        const { tokenId, token: string } = JSON.parse(secretString);
        seen.set(tokenId, string);
      }
    }
    return seen;
  };

  return {
    token,
    labelled(entry, label) {
      const version = versionsOf(secretOf(entry, owner)).find(({ stages }) =>
        stages.includes(label),
      );
      return version && token(JSON.parse(version.secretString ?? '{}').tokenId);
    },
    works(id, action, database) {
      const text = remember().get(id);
      return text !== undefined && cluster.accepts(text, action, database);
    },
    strings: () => [...remember().values(), cluster.managementToken],
    versions: () =>
      Object.fromEntries(
        Object.values(aws.state.secrets).map(({ name, versions }) => [
          name,
          Object.fromEntries(Object.values(versions).map(({ id, stages }) => [id, stages])),
        ]),
      ),
    database(name) {
      const found = cluster.state.databases.find((each) => each.name === name);
      return (
        found && {
          retentionDays: Number(found.retentionPeriod / NANOSECONDS_A_DAY),
          maxTables: found.maxTables,
        }
      );
    },
    async manage(method, path, body) {
      const answer = await fetch(`${cluster.url}/api/v0${path}`, {
        method,
        headers: {
          authorization: `Bearer ${cluster.managementToken}`,
          'content-type': 'application/json',
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.status === 204 ? undefined : answer.json();
    },
    age(id, milliseconds) {
      const { tokens } = cluster.state;
      const index = tokens.findIndex((each) => each.id === id);
      const found = tokens[index];
      if (found) tokens[index] = { ...found, createdAt: found.createdAt - milliseconds };
    },
  };
}

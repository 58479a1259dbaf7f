import type { LogLine } from '../lambda/instance.ts';
import type { Sandbox } from '../sandbox.ts';
import { currentVersion } from './stage.ts';

const MARKER = /\[keyturn:1 owner=demo [^\]]*\]$/;

/**
 * What must hold at any moment: consumers have a live token with permissions under AWSCURRENT (A),
 * and no token of ours has a permission unless its string is stored (C).
 */
export function brokenNow({ cluster, aws, clock }: Sandbox, secrets: readonly string[]): string[] {
  const { tokens } = cluster.state;
  const now = clock.now();
  const stored = new Set(
    Object.values(aws.state.secrets).flatMap(({ versions }) => Object.keys(versions)),
  );
  const unusable = secrets.filter((name) => {
    const token = tokens.find(({ id }) => id === currentVersion({ aws }, name)?.id);
    const live = token && !token.revokedAt && (token.expiresAt ?? now + 1) > now;
    return !live || token.permissions.length === 0;
  });
  const unstored = tokens.filter(
    ({ id, description, permissions, revokedAt }) =>
      MARKER.test(description) && permissions.length > 0 && !revokedAt && !stored.has(id),
  );
  return [
    ...unusable.map((name) => `A: the current token of ${name} does not work`),
    ...unstored.map(({ id }) => `C: ${id} has permissions, and its string is stored nowhere`),
  ];
}

/**
 * What must hold at the end: no token string was logged or published (I), and no token of ours is
 * lost (D).
 */
export function brokenAtLast({ cluster, aws }: Sandbox, logs: readonly LogLine[]): string[] {
  const published = `${logs.map(({ text }) => text).join('\n')}${JSON.stringify(aws.state.events)}`;
  const values = Object.values(aws.state.secrets).flatMap(({ versions }) =>
    Object.values(versions).flatMap(({ secretString }) => secretString ?? []),
  );
  const strings = values.map((value) => /"token":"([^"]+)"/.exec(value)?.[1] ?? value);
  const leaked = strings.filter((string) => published.includes(string));
  const labelled = new Set(
    Object.values(aws.state.secrets).flatMap(({ versions }) =>
      Object.values(versions).flatMap(({ id, stages }) => (stages.length > 0 ? [id] : [])),
    ),
  );
  const lost = cluster.state.tokens.filter(
    ({ id, description, revokedAt }) =>
      MARKER.test(description) &&
      !revokedAt &&
      !labelled.has(id) &&
      !/ superseded=/.test(description),
  );
  return [
    ...leaked.map(() => 'I: a log or an event contains a token string'),
    ...lost.map(({ id }) => `D: ${id} is neither in use nor being retired`),
  ];
}

import type { Laboratory } from './laboratory.ts';

const SECRET = 'keyturn/demo/telegraf';

type Label = 'AWSCURRENT' | 'AWSPENDING' | 'AWSPREVIOUS';

async function askAws({ aws }: Laboratory, operation: string, input: object): Promise<void> {
  await fetch(aws.url, {
    method: 'POST',
    headers: {
      'x-amz-target': `secretsmanager.${operation}`,
      'content-type': 'application/x-amz-json-1.1',
      authorization: 'a person',
    },
    body: JSON.stringify({ SecretId: SECRET, ...input }),
  });
}

async function askCluster(
  { cluster }: Laboratory,
  method: string,
  path: string,
  body?: object,
): Promise<void> {
  const headers = { authorization: `Bearer ${cluster.managementToken}` };
  const init = body && {
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  await fetch(`${cluster.url}/api/v0${path}`, { method, headers, ...init });
}

const labelsOf = (laboratory: Laboratory) => laboratory.view().secrets.get(SECRET)?.labels ?? {};

/** One act of a person, by the same interfaces as ours. Does nothing where there is nothing to do it to. */
export type Act = (laboratory: Laboratory) => Promise<void>;

export const makeCurrent = (laboratory: Laboratory, to: string | undefined): Promise<void> =>
  askAws(laboratory, 'UpdateSecretVersionStage', {
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: to,
    RemoveFromVersionId: labelsOf(laboratory).AWSCURRENT,
  });

const rollBack: Act = async (laboratory) => {
  const { AWSPREVIOUS } = labelsOf(laboratory);
  if (AWSPREVIOUS) await makeCurrent(laboratory, AWSPREVIOUS);
};

const strip =
  (label: Label): Act =>
  async (laboratory) => {
    const id = labelsOf(laboratory)[label];
    if (id) await askCluster(laboratory, 'PATCH', `/tokens/${id}`, { permissions: [] });
  };

export const deleteToken =
  (label: Label): Act =>
  async (laboratory) => {
    const id = labelsOf(laboratory)[label];
    if (id) await askCluster(laboratory, 'DELETE', `/tokens/${id}`);
  };

const detachPending: Act = async (laboratory) => {
  const { AWSPENDING } = labelsOf(laboratory);
  if (!AWSPENDING) return;
  const move = { VersionStage: 'AWSPENDING', RemoveFromVersionId: AWSPENDING };
  await askAws(laboratory, 'UpdateSecretVersionStage', move);
};

export const hold =
  (kind: 'frozen' | 'deleted'): Act =>
  (laboratory) =>
    askAws(laboratory, 'TagResource', { Tags: [{ Key: 'keyturn:hold', Value: kind }] });

export const acts: Readonly<Record<string, Act>> = {
  'rolls back': rollBack,
  'strips the current token': strip('AWSCURRENT'),
  'strips the pending token': strip('AWSPENDING'),
  'strips the previous token': strip('AWSPREVIOUS'),
  'deletes the current token': deleteToken('AWSCURRENT'),
  'deletes the pending token': deleteToken('AWSPENDING'),
  'deletes the previous token': deleteToken('AWSPREVIOUS'),
  'takes AWSPENDING off': detachPending,
  'freezes the secret': hold('frozen'),
  'puts a hold for deletion': hold('deleted'),
};

/** Tokens of nobody's, and of other deployments: one without a marker, one expired, two with markers that are not ours. */
export async function mintForeign(laboratory: Laboratory): Promise<void> {
  const { clock } = laboratory;
  const marker = (owner: string, rest: string) =>
    `[keyturn:1 owner=${owner} secret=${SECRET} ${rest}]`;
  const expiresAt = `${new Date(clock.now() + 60_000).toISOString().slice(0, 19)}Z`;
  const permissions = [{ action: 'write', resource: 'metrics' }];
  for (const description of [
    'by hand',
    marker('other', 'home=00000000'),
    marker('demo', 'home=00000000'),
  ]) {
    await askCluster(laboratory, 'POST', '/tokens', { description, permissions });
  }
  await askCluster(laboratory, 'POST', '/tokens', { description: 'old', permissions, expiresAt });
}

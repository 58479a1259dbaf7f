import { z } from 'zod';
import { describe } from './describe.ts';
import { matchesAll } from './filters.ts';
import { page, type SortKey } from './paging.ts';
import { members, type Operation, operation } from './request.ts';
import type { Secret } from './state.ts';

const sortKeys = {
  'created-date': (secret: Secret): SortKey => [secret.createdAt, secret.name],
  'last-accessed-date': (secret: Secret): SortKey => [secret.accessedAt ?? 0, secret.name],
  'last-changed-date': (secret: Secret): SortKey => [secret.changedAt, secret.name],
  name: (secret: Secret): SortKey => [secret.name, secret.name],
} as const;

const listSecrets = operation(
  z.object({
    IncludePlannedDeletion: z.boolean().default(false),
    MaxResults: z.number().int().min(1).max(100).default(100),
    NextToken: members.nextToken,
    Filters: members.filters,
    // AWS does not document the default order; other suites that ran against it find the oldest first.
    SortOrder: z.enum(['asc', 'desc']).default('asc'),
    SortBy: z
      .enum(['created-date', 'last-accessed-date', 'last-changed-date', 'name'])
      .default('created-date'),
  }),
  (store, input) => {
    const listed = store
      .list(store.listLagMs)
      .filter((secret) => input.IncludePlannedDeletion || secret.deletedAt === undefined)
      .filter((secret) => matchesAll(secret, input.Filters ?? []));
    const { items, NextToken } = page(listed, sortKeys[input.SortBy], input, input.SortOrder);
    return {
      SecretList: items.map((secret) => describe(secret, 'SecretVersionsToStages')),
      NextToken,
    };
  },
);

export const listOperations: Readonly<Record<string, Operation>> = { ListSecrets: listSecrets };

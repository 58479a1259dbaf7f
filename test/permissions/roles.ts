import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Template } from 'aws-cdk-lib/assertions';
import type { KeyturnProps } from '../../lib/properties.ts';
import { synthesize } from '../lib/synthesize.ts';
import { JOBS, type Job } from '../world/jobs.ts';
import type { Statement } from './evaluate.ts';

export const REGION = 'eu-west-1';
export const ACCOUNT = '123456789012';
export type Roles = ReadonlyMap<Job, readonly Statement[]>;

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
};

/** Does what CloudFormation would with references; resources of the stack keep a name in angle brackets. */
export function resolve(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(resolve);
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (typeof Ref === 'string') return PSEUDO[Ref] ?? `<${Ref}>`;
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(resolve).join(String(join[0]));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each)]));
}

/** What the roles may do whose policies have a logical id that begins so. */
export function statementsOf(template: Template, prefix: string): Statement[] {
  return ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
    Object.entries(template.findResources(type))
      .filter(([id]) => id.startsWith(prefix))
      .flatMap(([, { Properties }]) => resolve(Properties.PolicyDocument.Statement) as Statement[]),
  );
}

function prefixOf(job: Job): string {
  const name = job.replaceAll(/(?:^|-)(.)/g, (_match, letter: string) => letter.toUpperCase());
  return `Keyturn${name}Role`;
}

/** The role of every function in a template of a stack with the construct `Keyturn`. */
export const rolesIn = (template: Template): Roles =>
  new Map(JOBS.map((job) => [job, statementsOf(template, prefixOf(job))]));

/** The role of every function as the stack of a policy document would have it. */
export function rolesOf(document: object, props: Partial<KeyturnProps> = {}): Roles {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-'));
  try {
    return rolesIn(synthesize(folder, JSON.stringify(document), props));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

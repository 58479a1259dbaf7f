import type * as z from 'zod/mini';
import type { Permission } from '../management-api/token.ts';
import { contradictions } from './contradictions.ts';
import { misplacedCredentials } from './misplaced.ts';
import {
  DEFAULT_LIFETIMES,
  type Lifetimes,
  type Policy,
  secretPrefix,
  type TokenPolicy,
} from './policy.ts';
import { explainIssues, PolicyError, type PolicyIssue, UNEXPLAINED } from './policy-error.ts';
import { type Document, documentSchema, EXTENSION, TOKEN_NAME } from './schemas/document.ts';

type Declared = Document['defaults'];

function lifetimesOf(declared: Declared): Lifetimes {
  const { expiresAfter, ...rest } = { ...DEFAULT_LIFETIMES, ...declared };
  return { ...rest, ...(expiresAfter !== 'never' && { expiresAfter }) } as Lifetimes;
}

function permissionsOf({ read, write }: { read: string[]; write: string[] }): Permission[] {
  const grants = (action: string, databases: string[]) =>
    [...new Set(databases)].sort().map((resource) => ({ action, resource }));
  return [...grants('read', read), ...grants('write', write)];
}

function resolveTokens({ tokens, defaults, owner }: Document): TokenPolicy[] {
  return Object.entries(tokens).map(([name, entry]) => {
    const { description = name, permissions, secret, adopt, ...declared } = entry;
    return {
      name,
      secret: secret ?? `${secretPrefix(owner)}${name}`,
      description,
      permissions: permissionsOf(permissions),
      ...lifetimesOf({ ...defaults, ...declared }),
      ...(adopt && { adopt }),
    };
  });
}

/** Without the keys at its top that only hold what YAML anchors are for; they may have any name of this form. */
const withoutExtensions = (document: unknown): unknown =>
  typeof document === 'object' && document !== null && !Array.isArray(document)
    ? Object.fromEntries(Object.entries(document).filter(([key]) => !key.startsWith(EXTENSION)))
    : document;

/** The one name that zod leaves out of a mapping with free names, without a word. */
const UNHEARD = '__proto__';

const unheardTokens = (document: unknown): PolicyIssue[] =>
  Object.hasOwn(Object(Object(document).tokens), UNHEARD)
    ? [{ path: ['tokens', UNHEARD], message: `found this name, expected ${TOKEN_NAME}` }]
    : [];

/**
 * Checks a policy document (the YAML file as plain data) and adds its defaults.
 * @param file the file's name, as plans show it
 * @param schema of a document that says more than the functions need; what it says more is in the answer
 * @throws PolicyError naming every key that is wrong, what was found and what was expected
 */
export function parsePolicy(
  document: unknown,
  file = 'keyturn.yaml',
  schema: z.ZodMiniType<Document> = documentSchema,
): Policy {
  const unfit = [...misplacedCredentials(document), ...unheardTokens(document)];
  if (unfit.length > 0) throw new PolicyError(unfit);
  const declared = withoutExtensions(document);
  const parsed = schema.safeParse(declared, UNEXPLAINED);
  if (!parsed.success) {
    throw new PolicyError(explainIssues(schema, parsed.error.issues, declared));
  }
  const { data } = parsed;
  const defaults = lifetimesOf(data.defaults);
  const policy = { ...data, file, defaults, tokens: resolveTokens(data) };
  const issues = contradictions(policy);
  if (issues.length > 0) throw new PolicyError(issues);
  return policy;
}

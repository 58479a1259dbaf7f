import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { composePolicy, type Draft } from '../../bin/keyturn/init/compose-policy.ts';
import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { DAY } from '../world/policy.ts';

const AT = Date.UTC(2026, 10, 28, 20);

const idOf = (index: number) => `67cd832e-0000-4000-8000-${String(index).padStart(12, '0')}`;

const token = (index: number, description: string, resource = 'telemetry') => ({
  id: idOf(index),
  description,
  permissions: [{ action: 'read', resource }],
  createdAt: AT - DAY,
});

const draftOf = (more: Partial<Draft>): Draft => ({
  owner: 'prod',
  cluster: { url: 'https://influxdb.example.com', managementToken: 'influxdb/management' },
  found: { tokens: [], databases: [] },
  knowsDatabases: true,
  places: new Map(),
  at: AT,
  from: 'on https://influxdb.example.com',
  notes: [],
  ...more,
});

/** What ends a line, begins a comment, a value or a mapping, or is none of what people see. */
const odd = fc.array(
  fc.oneof(
    fc.constantFrom('\n', '\r', '\u2028', '\u0085', '\u0000', '\u202e', '\ud800', ' ', '# ', ': '),
    fc.constantFrom('"', "'", '\\', '- ', '{', '}', '[', ']', '&', '*', '!', '|', '>', '%', '@'),
    fc.constantFrom('telemetry', '\nowner: mallory', '[keyturn:', 'null', '1e3', '__proto__', 'é'),
  ),
  { maxLength: 12 },
);
const text = odd.map((parts) => parts.join(''));

it('writes what is there as it is, whatever is in a description or a name', () => {
  const tokens = fc.array(
    fc.record({
      description: text,
      permissions: fc.array(
        fc.record({
          action: fc.oneof(fc.constantFrom('read', 'write'), text),
          resource: fc.oneof(fc.constantFrom('*', 'telemetry', 'a/b'), text),
        }),
        { maxLength: 3 },
      ),
      isNamed: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  const databases = fc.uniqueArray(
    fc.record({
      name: fc.oneof(fc.constantFrom('telemetry', 'true', '123', 'a/b'), text),
      retentionPeriod: fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n }),
      maxTables: fc.integer({ min: -1, max: 2 ** 32 }),
      maxColumnsPerTable: fc.integer({ min: -1, max: 2_000 }),
    }),
    { selector: ({ name }) => name, maxLength: 5 },
  );
  fc.assert(
    fc.property(tokens, databases, (given, rules) => {
      const found = {
        tokens: given.map((each, index) => ({ ...each, id: idOf(index), createdAt: AT - DAY })),
        databases: rules,
      };
      const places = new Map(
        found.tokens.flatMap(({ id, isNamed }) => (isNamed ? [[id, { name: `s/${id}` }]] : [])),
      );
      const { text: written, summary } = composePolicy(draftOf({ found, places }));
      const document = parse(written);
      expect(Object.keys(document)).toEqual(['owner', 'cluster', 'tokens', 'databases']);
      expect(Object.keys(document.tokens)).toHaveLength(summary.adopted);
      expect(document.databases).toHaveLength(summary.rules);
      if (summary.adopted + summary.rules === 0) return;
      const policy = parsePolicy(document);
      expect(policy.owner).toBe('prod');
      for (const { adopt, permissions, secret } of policy.tokens) {
        const its = found.tokens.find(({ id }) => id === adopt?.tokenId);
        expect(secret).toBe(`s/${its?.id}`);
        const [declared, had] = [permissions, its?.permissions ?? []].map((all) =>
          [...new Set(all.map(({ action, resource }) => `${action} ${resource}`))].sort(),
        );
        expect(declared).toEqual(had);
      }
      for (const rule of policy.databases) {
        const its = rules.find(({ name }) => 'name' in rule && name === rule.name);
        for (const field of ['maxTables', 'maxColumnsPerTable'] as const) {
          expect([undefined, its?.[field]]).toContain(rule[field]);
        }
        expect([undefined, its?.retentionPeriod]).toContain(rule.retention);
      }
    }),
    { numRuns: 500 },
  );
});

it('writes an entry that is the same policy when its comment is taken away', () => {
  const found = { tokens: [token(1, 'a: "b"\n# c'), token(2, 'д')], databases: [] };
  const waiting = composePolicy(draftOf({ found })).text;
  const entries = waiting
    .replace('  {}   # take this line away when there is an entry\n', '')
    .replace(/^ {2}# (a-b-c:|token-67cd832e:| {2}[a-z ].*)$/gm, '  $1');
  let count = 0;
  const named = entries.replaceAll(/<name of .*?>/g, () => `s/${++count}`);
  expect(parsePolicy(parse(named)).tokens).toMatchObject([
    { name: 'a-b-c', description: 'a: "b" # c', secret: 's/1', adopt: { tokenId: idOf(1) } },
    { name: 'token-67cd832e', description: 'д', secret: 's/2', adopt: { tokenId: idOf(2) } },
  ]);
});

it('refuses to be deployed with an entry whose secret nobody named', () => {
  const waiting = composePolicy(draftOf({ found: { tokens: [token(1, 'a')], databases: [] } }));
  const entry = waiting.text
    .replace(/^ {2}\{\}.*\n/m, '')
    .replace(/^ {2}# (a:| {2}[a-z ].*)$/gm, '  $1');
  expect(() => parsePolicy(parse(entry))).toThrow(/tokens\.a\.secret: .*expected a secret name/);
});

it('gives tokens of one description names of their own', () => {
  const tokens = Array.from({ length: 5 }, (_, index) => token(index, 'sensor'));
  const places = new Map(tokens.map(({ id }) => [id, { name: `s/${id}` }]));
  const { text: written } = composePolicy(draftOf({ found: { tokens, databases: [] }, places }));
  expect(Object.keys(parse(written).tokens)).toEqual([
    'sensor',
    ...['', '-2', '-3', '-4'].map((end) => `sensor-67cd832e${end}`),
  ]);
});

it('names tokens of this owner and of others as theirs, and gives them no entry', () => {
  const marker = (owner: string, index: number) =>
    `x [keyturn:1 owner=${owner} secret=keyturn/${owner}/x home=1f0c9a2e id=${idOf(index)}]`;
  const tokens = [
    token(1, marker('staging', 1)),
    token(2, marker('prod', 2)),
    token(3, marker('staging', 1)),
  ];
  const { text: written, summary } = composePolicy(draftOf({ found: { tokens, databases: [] } }));
  expect([summary.adopted, summary.waiting]).toEqual([0, 0]);
  expect(written).toMatch(
    /Tokens of other deployments.*\n.*0001.*"x": owner staging, secret keyturn\/staging\/x\n/,
  );
  expect(written).toMatch(/Tokens of a deployment with this owner, prod\..*\n.*0002/);
  expect(written).toMatch(/cannot be read, or was copied.*\n.*0003/);
});

it('lets no name in a marker out of its comment', () => {
  const description = '[keyturn:1 owner=a%0Aowner:%20mallory secret=x%0Dy home=1f0c9a2e]';
  const found = { tokens: [token(1, description)], databases: [] };
  const { text: written } = composePolicy(draftOf({ found }));
  expect(written).toContain('owner a\\u{a}owner: mallory, secret x\\u{d}y');
  expect(parse(written).owner).toBe('prod');
});

it('writes a thousand tokens in a moment', () => {
  const tokens = Array.from({ length: 1_000 }, (_, index) => token(index, 'sensor'));
  const begun = performance.now();
  const { summary } = composePolicy(draftOf({ found: { tokens, databases: [] } }));
  expect(summary.waiting).toBe(1_000);
  expect(performance.now() - begun).toBeLessThan(2_000);
});

/** Code whose mutants are sought, and the tests that are asked for them: all of a group's own, the quick ones first. */
export interface Group {
  readonly name: string;
  readonly mutate: readonly string[];
  /** Asked for every mutant. */
  readonly near: readonly string[];
  /** Asked for those that live on. */
  readonly far: readonly string[];
}

export const GROUPS: readonly Group[] = [
  {
    name: 'rotation-plan',
    mutate: ['functions/rotation/plan/*.ts'],
    near: ['test/functions/rotation/plan/*.test.ts', 'test/functions/run/properties.test.ts'],
    far: ['test/functions/{rotation,run}/*.test.ts'],
  },
  {
    name: 'reaping-plan',
    mutate: ['functions/reaping/plan/*.ts'],
    near: ['test/functions/reaping/plan/*.test.ts', 'test/functions/run/properties.test.ts'],
    far: ['test/functions/{reaping,run,rotation}/*.test.ts'],
  },
  {
    name: 'revocation-plan',
    mutate: ['functions/revocation/plan/*.ts'],
    near: [
      'test/functions/revocation/plan/*.test.ts',
      'test/functions/revocation/{selectors,ways,request,outsiders}.test.ts',
    ],
    far: ['test/functions/revocation/*.test.ts'],
  },
  {
    name: 'enforcement-plan',
    mutate: ['functions/enforcement/plan/*.ts'],
    near: ['test/functions/enforcement/plan/*.test.ts'],
    far: ['test/functions/enforcement/*.test.ts'],
  },
  {
    name: 'tokens',
    mutate: ['functions/tokens/*.ts'],
    near: [
      'test/functions/tokens/*.test.ts',
      'test/functions/{rotation,reaping}/plan/*.test.ts',
      'test/functions/run/properties.test.ts',
    ],
    far: ['test/functions/{rotation,reaping}/*.test.ts'],
  },
  {
    name: 'policy',
    mutate: ['functions/policy/**/*.ts'],
    near: ['test/functions/policy/*.test.ts', 'test/functions/enforcement/plan/*.test.ts'],
    // Not what bundles the functions: with every mutant in them they are too big.
    far: ['test/lib/{policy-file,schedule/*}.test.ts', 'test/functions/rotation/plan/*.test.ts'],
  },
  {
    name: 'rotation-steps',
    mutate: ['functions/rotation/*.ts'],
    near: [
      'test/functions/rotation/{rotate,adopt,adopt-proof,prove,by-name,went-back,grants}.test.ts',
      'test/functions/rotation/{hands-between-runs,lost-owner-tag,outsiders}.test.ts',
      'test/functions/rotation/{refused-strings,take-rotation-step}.test.ts',
    ],
    far: ['test/functions/{rotation,run}/*.test.ts'],
  },
  {
    name: 'reaping-steps',
    mutate: ['functions/reaping/*.ts'],
    near: ['test/functions/reaping/*.test.ts'],
    far: ['test/functions/{rotation,run}/*.test.ts'],
  },
  {
    name: 'revocation-steps',
    mutate: ['functions/revocation/*.ts'],
    near: ['test/functions/revocation/{ways,selectors,undo,leaked,repeated}.test.ts'],
    far: ['test/functions/revocation/*.test.ts'],
  },
];

import { defineConfig } from 'vitest/config';

/** The tests that `main.ts` asks for. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    include: JSON.parse(process.env.MUTATION_TESTS ?? '[]'),
  },
});

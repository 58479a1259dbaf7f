import './bin/node-24.js';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Synthesis takes a second, and several on a busy machine of two cores.
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: '100%',
    // Concurrent tests of one file wait for servers that say nothing.
    maxConcurrency: 10,
  },
});

export const JOBS = ['rotate', 'reap', 'enforce', 'revoke', 'secrets-manager-rotation'] as const;

/** The name of a function. */
export type Job = (typeof JOBS)[number];

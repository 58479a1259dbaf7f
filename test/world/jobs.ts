export const JOBS = ['rotate', 'reap', 'enforce', 'revoke', 'secrets-manager-rotation'] as const;

/** Those that a schedule starts. */
export type ScheduledJob = 'rotate' | 'reap' | 'enforce';

/** The name of a function. */
export type Job = (typeof JOBS)[number];

import { replaceDate } from '../lambda/replace-globals.ts';

/** Loaded first into a process of its own: its clock stands where the sandbox's does. */
const at = Date.parse(process.env.SANDBOX_NOW ?? '');
replaceDate(() => at);

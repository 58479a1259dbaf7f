import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { ClusterOptions } from './cluster/server.ts';

const milliseconds = z.number().min(0).max(86_400_000);
const status = z.union([z.literal(401), z.literal(403)]);
const statuses = z.strictObject({ read: status.exactOptional(), write: status.exactOptional() });

/** What `keyturn doctor --measure --profile FILE` writes. */
const profileSchema = z.strictObject({
  keyturnProfile: z.literal(1),
  cluster: z.string(),
  measuredAt: z.iso.datetime(),
  activationDelayMs: milliseconds,
  revocationDelayMs: milliseconds,
  routers: z.strictObject({ count: z.int().min(1).max(999), spreadMs: milliseconds }),
  manners: z.strictObject({
    lagMs: milliseconds.exactOptional(),
    hidesRevoked: z.boolean().exactOptional(),
    hidesExpired: z.union([z.boolean(), z.literal('from listings')]).exactOptional(),
    longestListing: z.int().min(0).exactOptional(),
    longestDescription: z.int().min(1).exactOptional(),
    patchesOnly: z.enum(['description', 'permissions']).exactOptional(),
    deletesTwice: z.boolean().exactOptional(),
    refusesSlash: z.boolean().exactOptional(),
    refusals: z
      .strictObject({ unknown: statuses.exactOptional(), forbidden: statuses.exactOptional() })
      .exactOptional(),
  }),
});

/** How a sandbox is set to be like a cluster that was measured. */
export type ProfileSettings = Required<
  Pick<ClusterOptions, 'activationDelayMs' | 'revocationDelayMs' | 'routers' | 'manners'>
>;

/** @throws Error that names the file, and what is wrong in it */
export function readProfile(file: string): ProfileSettings {
  const refuse = (found: string) =>
    new Error(
      `${file}: found ${found}, expected a profile that keyturn doctor --measure --profile wrote`,
    );
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // The parser's error would quote the file, and a wrong file may be one with a secret in it.
    if (error instanceof SyntaxError) throw refuse('no JSON');
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  const { data, error } = profileSchema.safeParse(content);
  if (!data) {
    const [issue] = error.issues;
    // What the file has itself is not repeated, nor are the names of its keys.
    const what = issue?.code === 'unrecognized_keys' ? 'a key that none has' : issue?.message;
    throw refuse(`${issue?.path.join('.') || 'its top level'}: ${what}`);
  }
  const { activationDelayMs, revocationDelayMs, routers, manners } = data;
  return { activationDelayMs, revocationDelayMs, routers, manners };
}

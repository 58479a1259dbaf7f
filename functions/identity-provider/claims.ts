/** What a JWT says, which nobody checks here. Undefined: it is none. */
export function claimsIn(token: string): Readonly<Record<string, unknown>> | undefined {
  const [head, payload, signature, ...more] = token.split('.');
  if (!head || !payload || !signature || more.length > 0) return undefined;
  try {
    const [claims] = [payload, head].map((part): unknown =>
      JSON.parse(Buffer.from(part, 'base64url').toString()),
    );
    const isMapping = typeof claims === 'object' && claims !== null && !Array.isArray(claims);
    return isMapping ? { ...claims } : undefined;
  } catch {
    return undefined; // opaque, with two dots
  }
}

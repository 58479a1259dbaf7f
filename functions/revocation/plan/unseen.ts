/** What could not be looked at. It is not known what is there, and that is not "nothing". */
export interface Unseen {
  /** The secret. Is it not among those that were seen, it is not known whether it is ours. */
  readonly secret: string;
  /** A sentence that names it, and says why. */
  readonly said: string;
}

/** What is said of a secret that could not be looked at. Undefined: it is there, or it is not. */
export function unseenIn(
  {
    secrets,
    unseen = [],
  }: {
    readonly secrets: Pick<ReadonlyMap<string, unknown>, 'has'>;
    readonly unseen?: readonly Unseen[];
  },
  isMeant: (secret: string) => boolean,
): string | undefined {
  return unseen.find(({ secret }) => !secrets.has(secret) && isMeant(secret))?.said;
}

/** What could not be looked at, or is not ours by its tag. It is not known what is there, and that is not "nothing". */
export interface Unseen {
  /** The secret. Is it not among those that were seen, it is not known whether it is ours. */
  readonly secret: string;
  /** A sentence that names it, and says why. */
  readonly said: string;
  /** It is there, without our tag: its tokens are known by their markers alone, which have this `home`. */
  readonly notOurs?: {
    readonly home: string;
    /** A labelled version of it has an id that Keyturn puts. */
    readonly wasOurs: boolean;
  };
}

export type IsMeant = (secret: string, unseen: Unseen) => boolean;

/** What is said of a secret that was not looked at. Undefined: it was, or it is not there. */
export function unseenIn(
  {
    secrets,
    unseen = [],
  }: {
    readonly secrets: Pick<ReadonlyMap<string, unknown>, 'has'>;
    readonly unseen?: readonly Unseen[];
  },
  isMeant: IsMeant,
): Unseen | undefined {
  return unseen.find((each) => !secrets.has(each.secret) && isMeant(each.secret, each));
}

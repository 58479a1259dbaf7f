interface Line {
  readonly _aws?: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [key: string]: unknown;
}

/** Reads lines in the embedded metric format; one record for each set of metrics, oldest first. */
export function readMetrics(lines: readonly string[]): Record<string, unknown>[] {
  const parsed = lines.flatMap((text): Line[] => (text.startsWith('{') ? [JSON.parse(text)] : []));
  return parsed.flatMap(({ _aws, ...root }) =>
    (_aws?.CloudWatchMetrics ?? []).map(({ Namespace, Dimensions, Metrics }) => {
      // Every alarm looks in this namespace: a metric elsewhere would be seen by nobody.
      if (Namespace !== 'Keyturn') throw new Error(`found metrics in the namespace ${Namespace}`);
      const [dimensions = []] = Dimensions;
      const where = dimensions.map((name) => `${name}=${root[name]}`).join(' ');
      return Object.fromEntries(Metrics.map(({ Name }) => [`${where} ${Name}`, root[Name]]));
    }),
  );
}

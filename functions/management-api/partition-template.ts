import type { PartitionTemplatePart } from './database.ts';

function formatPart(part: PartitionTemplatePart): string {
  if (part.type !== 'bucket') return `${part.type} ${JSON.stringify(part.value)}`;
  const { tagName, numberOfBuckets } = part.value;
  return `bucket ${JSON.stringify(tagName)} of ${numberOfBuckets}`;
}

/** `tag "room", time "%Y-%m-%d"`: for people, and equal only for equal templates. */
export const formatTemplate = (parts: readonly PartitionTemplatePart[]): string =>
  parts.map(formatPart).join(', ');

import { expect, test } from 'vitest';
import { readRevocation } from '../../bin/keyturn/answers.ts';
import { mergeOrders } from '../../bin/keyturn/merge-orders.ts';
import type { Previewed } from '../../bin/keyturn/preview.ts';
import { previewOf } from './answering-lambda.ts';

const token = {
  tokenId: 'a',
  owned: true,
  description: '',
  permissions: [],
  createdAt: '',
  state: 'live',
};
const strip = { kind: 'strip', tokenId: 'a' };
const hold = { kind: 'hold', secret: 'keyturn/prod/telegraf' };

const previewed = (heading: string, actions: readonly object[]): Previewed => ({
  order: { way: 'freeze', events: [] },
  heading,
  lines: [1],
  event: {},
  answer: readRevocation(previewOf({ tokens: [token], actions })),
});
const headings = (previews: readonly Previewed[]) =>
  mergeOrders(previews).map(({ heading }) => heading);

test('an order is carried out by another one only if that takes each of its steps, too', () => {
  const [part, whole] = [previewed('part', [strip]), previewed('whole', [hold, strip])];
  expect(headings([part, whole])).toEqual(['part, whole']);
  const [one, other] = [previewed('one', [strip]), previewed('other', [hold])];
  expect(headings([one, other])).toEqual(['one', 'other']);
});

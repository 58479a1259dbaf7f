import { showOrders } from './show-orders.ts';

showOrders(['unfreeze', 'lift', 'restore'], {
  title: 'What unfreeze, lift and restore answer',
  document: 'orders-undo.md',
  file: 'test/docs/orders/undoing.test.ts',
});

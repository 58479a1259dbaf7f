import { showOrders } from './show-orders.ts';

showOrders(['freeze', 'delete'], {
  title: 'What revoke --freeze and --delete answer',
  document: 'orders-freeze-and-delete.md',
  file: 'test/docs/orders/stopping.test.ts',
});

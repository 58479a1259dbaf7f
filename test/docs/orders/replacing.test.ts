import { showOrders } from './show-orders.ts';

showOrders(['replace', 'replace immediately'], {
  title: 'What revoke answers',
  document: 'orders-replace.md',
  file: 'test/docs/orders/replacing.test.ts',
});

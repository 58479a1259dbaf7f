import type { DataPlaneRoute } from './data-plane-route.ts';
import { queryRoute } from './query.ts';
import { writeRoutes } from './write.ts';

/** The endpoints of applications; `/ping` and `/health` need no token. */
export const dataPlaneRoutes: readonly DataPlaneRoute[] = [
  ...writeRoutes,
  queryRoute,
  {
    methods: ['GET', 'HEAD'],
    path: '/ping',
    answer: () => ({
      status: 204,
      headers: { 'x-influxdb-build': 'cloud2', 'x-influxdb-version': '3.0.0' },
      body: '',
    }),
  },
  {
    methods: ['GET', 'HEAD'],
    path: '/health',
    answer: () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'OK' }),
  },
];

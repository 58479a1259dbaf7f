// The whole of undici would cost a cold start several times what its pool alone does.
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export = Pool;
}

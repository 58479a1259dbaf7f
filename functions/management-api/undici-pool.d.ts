// The package as a whole is twice as large, and all of it would be loaded at a cold start.
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export = Pool;
}

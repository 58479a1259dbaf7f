import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { FunctionError } from './messages.ts';

export type Handler = (event: unknown, context: unknown) => unknown;

/** Finds `<module>.js`, `.mjs` or `.cjs` and its export. Its errors are named as in Lambda. */
export async function loadHandler(module: string, exportName: string): Promise<Handler> {
  const file = ['.js', '.mjs', '.cjs'].map((ending) => module + ending).find(existsSync);
  if (file === undefined)
    throw named('Runtime.ImportModuleError', `Cannot find module '${module}'`);
  const loaded: Record<string, unknown> = await import(pathToFileURL(file).href);
  const handler = loaded[exportName] ?? property(loaded.default, exportName);
  if (typeof handler === 'function') return (event, context) => handler(event, context);
  throw named('Runtime.HandlerNotFound', `${file} does not export ${exportName}`);
}

export function functionError(error: unknown): FunctionError {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  const trace = (error.stack ?? '').split('\n');
  return { errorType: error.name, errorMessage: error.message, trace };
}

function property(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

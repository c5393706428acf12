/**
 * A module of Node's own, as `node:zlib`; undefined elsewhere. It is reached without an import, so that what asks for it still loads in a
 * browser, and works there by its own means.
 */
export function builtIn<T>(name: `node:${string}`): T | undefined {
  const host = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return host.process?.getBuiltinModule?.(name) as T | undefined;
}

// What .ci/component/transpile.mjs writes beside portable/worker.mjs, as far as that calls it.

export function instantiate(
  core: (name: string) => WebAssembly.Module,
  imports: Record<string, Record<string, unknown>>,
): { run: { run(): void } };

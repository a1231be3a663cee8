let loading: Promise<typeof import('./refresh.ts')> | undefined;

/**
 * Loads what renders and refreshes an index, which most readers do not need. Remembered, so that only the first call
 * waits for more than a microtask: a simulation (test/simulation) drains those, and makes that call before it begins.
 */
export function loadRefresh(): Promise<typeof import('./refresh.ts')> {
  loading ??= import('./refresh.ts');
  return loading;
}

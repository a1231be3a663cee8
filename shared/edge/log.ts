/**
 * Logs what somebody must look at: one line of JSON that reads alone. Fields never hold headers, bodies or
 * signed URLs.
 */
export function logError(
  message: string,
  error: unknown,
  fields: Readonly<Record<string, string | number>> = {},
): void {
  const { name, message: reason, stack } = error instanceof Error ? error : new Error(String(error));
  console.error(JSON.stringify({ level: 'error', message, ...fields, error: `${name}: ${reason}`, stack }));
}

type Thrown = { readonly stack?: unknown; readonly cause?: Thrown };

type Line = Readonly<Record<string, unknown>> & {
  readonly level?: unknown;
  readonly message?: unknown;
  readonly error?: Thrown;
  readonly _aws?: {
    readonly CloudWatchMetrics?: readonly { readonly Metrics: readonly { Name: string }[] }[];
  };
};

// What says more to CloudWatch than to whoever sits before the console.
const LEFT_OUT = [
  ...['level', 'message', 'timestamp', 'service', 'sampling_rate', 'error', '_aws'],
  ...['endpoint', 'function', 'gatewayRequestId', 'function_request_id'],
];

/**
 * What a line of the functions' log says, for a person, where somebody must look: what happened and where, what about,
 * and the error with what caused it.
 *
 * @returns undefined for what went as it may
 */
export function troubleIn(text: string): string | undefined {
  if (!/"level":\s*"(error|critical|fatal)"/i.test(text)) return undefined;
  const line = parse(text);
  if (line === undefined) return text;
  const metrics =
    line._aws?.CloudWatchMetrics?.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name)) ?? [];
  const about = Object.entries(line).filter(([name]) => ![...LEFT_OUT, ...metrics].includes(name));
  const said = about.map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = `${line['endpoint'] ?? line['function'] ?? 'function'}: ${line.message}`;
  return [[head, ...said].join(' '), ...stacksOf(line.error)].join('\n  ');
}

/** `fetch`, for one, says only in the cause why it failed. */
function stacksOf(error: Thrown | undefined): readonly string[] {
  if (error?.stack === undefined) return [];
  const [cause, ...more] = stacksOf(error.cause);
  return [`${error.stack}`, ...(cause === undefined ? [] : [`caused by ${cause}`, ...more])];
}

function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined; // of somebody who writes no JSON
  }
}

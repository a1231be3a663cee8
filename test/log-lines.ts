import { vi } from 'vitest';

export type LogLine = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly message: string;
};

/** What is written into the log from now on; `restoreAllMocks` ends it. */
export function watchLog(): { lines(): LogLine[]; text(): string } {
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    });
  }
  const text = () => written.join('');
  return {
    text,
    lines: () =>
      text()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as LogLine),
  };
}

/** A value as CloudWatch takes it out of a line. */
export type MetricValue = {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly value: unknown;
  readonly dimensions: readonly Readonly<Record<string, unknown>>[];
};

type Directive = {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
};

/** Reads the embedded metric format as its specification has it: names in the directive, values beside it. */
export function metricValues(line: LogLine): MetricValue[] {
  const { CloudWatchMetrics: directives = [] } = (line['_aws'] ?? {}) as { CloudWatchMetrics?: Directive[] };
  return directives.flatMap(({ Namespace: namespace, Dimensions, Metrics }) => {
    const dimensions = Dimensions.map((names) => Object.fromEntries(names.map((name) => [name, line[name]])));
    return Metrics.map(({ Name: name, Unit: unit }) => ({
      ...{ namespace, name, unit, dimensions },
      value: line[name],
    }));
  });
}

import type { IncomingMessage } from 'node:http';

/** A request's headers, names in lower case, repeated ones joined. Node's own `headers` drops some of those. */
export const mergedHeaders = ({ headersDistinct }: IncomingMessage): Map<string, string> =>
  new Map(Object.entries(headersDistinct).map(([name, values = []]) => [name, values.join(',')]));

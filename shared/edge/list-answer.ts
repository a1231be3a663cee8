import type { ListAnswer } from '../list-charts.ts';
import { namedEntityTag } from './entity-tag.ts';
import { notModified } from './representation.ts';
import type { Request } from './request.ts';
import { headersOnly, jsonText, type Response, redirect } from './response.ts';

/**
 * Answers a list of charts, or an index of one: 304 where the client has it already, itself, or by a redirect to
 * where a large one lies.
 *
 * @param type its media type
 * @param read is told which tags the client has
 */
export async function answerList(
  request: Request,
  type: string,
  read: (isKnown: (etag: string) => boolean) => Promise<ListAnswer>,
): Promise<Response> {
  const list = await read(
    (etag) => namedEntityTag(request.headers['if-none-match'], `"${etag}"`) !== undefined,
  );
  const headers = { etag: `"${list.etag}"`, 'cache-control': 'no-cache' };
  const described = { 'content-type': type, ...headers };
  switch (list.kind) {
    case 'known':
      return notModified(request, described) ?? headersOnly(304, headers);
    case 'inline':
      return jsonText(200, list.text, described);
    case 'stored': {
      if (request.method !== 'HEAD') return redirect(await list.url(), headers);
      const length = String(list.sizeBytes);
      return headersOnly(200, { 'content-length': length, ...described });
    }
  }
}

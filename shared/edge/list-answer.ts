import { LIST_TYPE, type ListAnswer } from '../list-charts.ts';
import { namedEntityTag } from './entity-tag.ts';
import { notModified } from './representation.ts';
import type { Request } from './request.ts';
import { headersOnly, jsonText, type Response, redirect } from './response.ts';

/**
 * Answers a list that is made from an index: 304 where the client has it already, itself, or by a redirect to where
 * a large one lies.
 *
 * @param read is told which tags the client has
 */
export async function answerList(
  request: Request,
  read: (isKnown: (etag: string) => boolean) => Promise<ListAnswer>,
): Promise<Response> {
  const list = await read(
    (etag) => namedEntityTag(request.headers['if-none-match'], `"${etag}"`) !== undefined,
  );
  const headers = { etag: `"${list.etag}"`, 'cache-control': 'no-cache' };
  switch (list.kind) {
    case 'known':
      return notModified(request, { ...headers, 'content-type': LIST_TYPE }) ?? headersOnly(304, headers);
    case 'inline':
      return jsonText(200, list.text, headers);
    case 'stored': {
      if (request.method !== 'HEAD') return redirect(await list.url(), headers);
      const length = String(list.sizeBytes);
      return headersOnly(200, { 'content-type': LIST_TYPE, 'content-length': length, ...headers });
    }
  }
}

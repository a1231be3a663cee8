import { Fault } from '../domain/fault.ts';
import type { Request } from './request.ts';
import { json, type Response } from './response.ts';

const FEWEST = 10;
const MOST = 100;

/**
 * Answers a page of a list as Harbor does: by `page`, from 1 on, and `page_size`, with the number of all in
 * `X-Total-Count` and the pages beside it in `Link`. More than 100 are asked for in vain, as in Harbor 1.x.
 *
 * @throws Fault `invalid_request`
 */
export async function harborPage<Item>(
  { basePath, path, query }: Pick<Request, 'basePath' | 'path' | 'query'>,
  all: readonly Item[],
  show: (item: Item) => Promise<object> | object,
): Promise<Response> {
  const page = positive(query, 'page', 1);
  const size = Math.min(positive(query, 'page_size', FEWEST), MOST);
  const items = await Promise.all(all.slice((page - 1) * size, page * size).map(show));
  const pages = Math.ceil(all.length / size);
  const target = `${basePath}${path}`;
  const link = [
    ...(page > 1 && page <= pages + 1 ? [linkTo(target, query, page - 1, size, 'prev')] : []),
    ...(page < pages ? [linkTo(target, query, page + 1, size, 'next')] : []),
  ].join(', ');
  return json(200, items, { 'x-total-count': String(all.length), ...(link !== '' && { link }) });
}

function linkTo(path: string, query: URLSearchParams, page: number, size: number, rel: string): string {
  const other = new URLSearchParams(query);
  other.set('page', String(page));
  other.set('page_size', String(size));
  return `<${encodeURI(path)}?${other}>; rel="${rel}"`;
}

function positive(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Fault(
    'invalid_request',
    `${name} is a number from 1 on, not ${JSON.stringify(text.slice(0, 80))}`,
  );
}

import { Fault } from '../domain/fault.ts';
import type { Request } from './request.ts';
import type { Headers } from './response.ts';

// Harbor's.
const PAGE_SIZE = 10;
const MOST = 100;

/**
 * A page of a list as Harbor's clients turn them: by `page`, from 1 on, and `page_size`.
 *
 * @returns headers: how many there are in all, and where the pages beside this one are
 * @throws Fault `invalid_request`
 */
export function pageOf<T>(
  { path, query }: Pick<Request, 'path' | 'query'>,
  all: readonly T[],
): { readonly page: readonly T[]; readonly headers: Headers } {
  const number = parseNumber(query, 'page', 1, Number.MAX_SAFE_INTEGER);
  const size = parseNumber(query, 'page_size', PAGE_SIZE, MOST);
  const start = (number - 1) * size;
  const link = (at: number, rel: string) => {
    const there = new URLSearchParams(query);
    there.set('page', String(at));
    there.set('page_size', String(size));
    return `<${path}?${there}>; rel="${rel}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, 'prev')] : []),
    ...(start + size < all.length ? [link(number + 1, 'next')] : []),
  ];
  return {
    page: all.slice(start, start + size),
    headers: {
      'x-total-count': String(all.length),
      ...(links.length > 0 && { link: links.join(', ') }),
    },
  };
}

function parseNumber(query: URLSearchParams, name: string, fallback: number, most: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (/^[1-9]\d{0,14}$/.test(text) && Number(text) <= most) return Number(text);
  const range = most === MOST ? `a number from 1 to ${MOST}` : 'a number from 1 on';
  throw new Fault('invalid_request', `${name} is ${range}, not ${JSON.stringify(text.slice(0, 80))}`);
}

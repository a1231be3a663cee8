import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { aPackage, aProvenance, type PackageShape } from '../packages.ts';

/** What is asserted of an answer; what is not named may be anything. */
export type Answer = {
  readonly status: number;
  /** By name in lower case; `undefined` stands for a header that is not there. */
  readonly headers?: Readonly<Record<string, string | RegExp | undefined>>;
  /** The whole body, as JSON. */
  readonly json?: unknown;
  /** The whole body if it is a text. */
  readonly text?: string | RegExp;
  /**
   * What is under the key `error`. Clients print it and rely on nothing in it, so Chartroom may say the same in
   * words of its own, unless its own column names words.
   */
  readonly error?: string | RegExp;
};

/** Bytes on their way, with their media type if the client says one. */
type Sent = { readonly bytes: Uint8Array; readonly type?: string };

export type Call = {
  readonly method: string;
  /** Goes out as it stands; `/{repo}` is the repository with its slash, nothing at depth 0. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => Promise<Sent>;
  /** Redirects are followed, as Helm does. */
  readonly follows?: true;
  /** For what ChartMuseum is told by a flag and Chartroom by a request. */
  readonly only?: 'chartroom';
};

type Difference = { readonly answer: Answer; readonly why: string };

/** A request and what ChartMuseum answers; `chartroom` where Chartroom differs on purpose. */
export type Exchange = { readonly call: Call; readonly chartMuseum: Answer; readonly chartroom?: Difference };

/** How a server is started: Chartroom by deployment settings, ChartMuseum by flags that say the same. */
export type Setup = {
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly flags: readonly string[];
};

/** One fact of the table. */
export type Row = {
  /** The fact's number, and what it is about. */
  readonly id: string;
  /** Requests before, each of which succeeds. */
  readonly before: readonly Call[];
  readonly exchanges: readonly Exchange[];
  /** Depths of repositories that it holds at. */
  readonly depths: readonly Depth[];
};

export type Depth = 0 | 1 | 2 | 3;

/** Rows for servers that are started alike. */
export type Table = { readonly setup: Setup; readonly rows: readonly Row[] };

const everyDepth: readonly Depth[] = [0, 1, 2, 3];

/** A row; it holds at every depth if a path names a repository, else it is asked once. */
export function row(id: string, before: readonly Call[], ...exchanges: readonly Exchange[]): Row {
  const named = exchanges.some(({ call }) => call.path.includes('{repo}'));
  return { id, before, exchanges, depths: named ? everyDepth : [0] };
}

/** The row, at some depths only. */
export const at = (depths: readonly Depth[], whole: Row): Row => ({ ...whole, depths });

/** Both answer alike. */
export const same = (call: Call, answer: Answer): Exchange => ({ call, chartMuseum: answer });

/** They differ on purpose. */
export const differs = (call: Call, chartMuseum: Answer, chartroom: Answer, why: string): Exchange => ({
  call,
  chartMuseum,
  chartroom: { answer: chartroom, why },
});

export const get = (target: string, headers: Call['headers'] = {}): Call => ({
  method: 'GET',
  path: target,
  headers,
});

/** GET as Helm does it. */
export const follow = (target: string): Call => ({ method: 'GET', path: target, follows: true });

export const head = (target: string): Call => ({ method: 'HEAD', path: target });

export const remove = (target: string): Call => ({ method: 'DELETE', path: target });

/** Bytes that are the same at each call. */
type Content = () => Promise<Uint8Array>;

/** A package: demo 1.0.0 unless told. */
export const chart =
  (shape: PackageShape = {}): Content =>
  () =>
    aPackage(shape);

/** A package whose Chart.yaml is this text. */
export const chartYaml = (text: string, files: Readonly<Record<string, string>> = {}): Content =>
  chart({ files: { ...files, 'Chart.yaml': text } });

/** The provenance file of {@link chart}. */
export const provenance =
  (shape: PackageShape = {}): Content =>
  async () =>
    aProvenance(await aPackage(shape), shape);

export const text =
  (content: string): Content =>
  async () =>
    Buffer.from(content);

/** A file of test/fixtures. */
export const fixture =
  (file: string): Content =>
  () =>
    readFile(path.join(import.meta.dirname, '../fixtures', file));

/** POST of a body as it is, as curl's --data-binary. */
function post(target: string, content: Content, type: string | undefined): Call {
  return {
    method: 'POST',
    path: target,
    body: async () => ({ bytes: await content(), ...(type !== undefined && { type }) }),
  };
}

const OCTETS = 'application/octet-stream';

export const upload = (content: Content, query = '', type: string | undefined = OCTETS): Call =>
  post(`/api/{repo}/charts${query}`, content, type);

/** An upload that does not say what it is. */
export const uploadUntyped = (content: Content): Call => post('/api/{repo}/charts', content, undefined);

export const uploadProvenance = (content: Content, query = ''): Call =>
  post(`/api/{repo}/prov${query}`, content, OCTETS);

/** Parts of a form, in order; a text is a field without a file name. */
type Fields = readonly (readonly [name: string, content: Content | string])[];

/** POST of a form, as curl's -F. */
export function form(fields: Fields, { resource = 'charts', query = '' } = {}): Call {
  const body = async () => {
    const data = new FormData();
    for (const [name, content] of fields) {
      if (typeof content === 'string') data.append(name, content);
      else data.append(name, new Blob([new Uint8Array(await content())]), `${name}.file`);
    }
    const encoded = new Response(data);
    const type = encoded.headers.get('content-type') ?? '';
    return { bytes: new Uint8Array(await encoded.arrayBuffer()), type };
  };
  return { method: 'POST', path: `/api/{repo}/${resource}${query}`, body };
}

export const saved: Answer = { status: 201, json: { saved: true } };
export const deleted: Answer = { status: 200, json: { deleted: true } };
export const notFound: Answer = { status: 404, error: 'not found' };

/** A refusal in JSON. */
export const refused = (status: number, error: string | RegExp): Answer => ({
  status,
  headers: { 'content-type': /^application\/json/ },
  error,
});

export const sha256 = async (content: Content) =>
  createHash('sha256')
    .update(await content())
    .digest('hex');

/** Letters that do not compress below three quarters of their number. */
export function randomText(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[state % 64] ?? '';
  }).join('');
}

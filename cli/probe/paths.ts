import { isVariable, tiesOf } from '../../shared/domain/route-ties.ts';
import { routes } from '../../shared/routes.ts';
import { basic } from '../command-line.ts';
import { isOurs } from './answers.ts';
import { type Check, judged, notTried } from './check.ts';
import { sendTo } from './http.ts';

/** How many paths a row of the table names. */
const MOST_TOLD = 5;

/** Of each pair of routes between which the gateway may choose, one path that both match. */
const tied = [
  ...new Set(
    tiesOf(routes.filter(({ method }) => method === 'GET')).map(
      ({ both }) => `/${both.map((segment) => (isVariable(segment) ? 'redis' : segment)).join('/')}`,
    ),
  ),
].toSorted();

/** How often each text is there: `400 (3×), 404`. */
function counted(texts: readonly string[]): string {
  const times = (text: string) => texts.filter((each) => each === text).length;
  return [...new Set(texts)].map((text) => `${text} (${times(text)}×)`).join(', ');
}

/** A path that two routes match, and what each says of it. */
type Telling = { readonly path: string; readonly says: readonly (readonly [route: string, words: RegExp])[] };

const INDEX = '/{…}/index.yaml';

/** Of the many, those whose answer tells which route was taken. */
const telling = (repository: string): readonly Telling[] => [
  {
    path: `/${repository}/charts/index.yaml`,
    says: [
      ['/{…}/charts/{file}', /there is no index\.yaml here/],
      [INDEX, /name a repository/],
    ],
  },
  {
    path: `/${repository}/charts/charts/index.yaml`,
    says: [
      ['/{…}/charts/{name}/index.yaml', /name a chart/],
      ['/{…}/charts/{file}', /name a repository/],
    ],
  },
  {
    path: '/api/charts/index.yaml',
    says: [
      ['/api/charts/{name}', /name a chart/],
      [INDEX, /name a repository/],
    ],
  },
  {
    path: '/api/charts/charts',
    says: [
      ['/api/charts/{name}', /name a chart/],
      ['/api/{…}/charts', /name a repository/],
    ],
  },
  {
    path: '/-/accounts/index.yaml',
    says: [
      ['/-/accounts/{account}', /name an account/],
      [INDEX, /name a repository/],
    ],
  },
];

export const paths: readonly Check[] = [
  {
    name: '`%2F` inside a part of a path',
    expected: "400 or 404 in Chartroom's words",
    async look({ client, repository }) {
      const { status, body } = await client.send('GET', `/api/${repository}/charts/a%2Fb`);
      return judged((status === 400 || status === 404) && isOurs(body), String(status));
    },
  },
  {
    name: `${tied.length} paths that two routes match`,
    expected: "refused by either in Chartroom's words: 400 or 404",
    async look({ client }) {
      const seen: string[] = [];
      const others: string[] = [];
      for (const path of tied) {
        const { status, body } = await client.send('GET', path);
        const isExpected = (status === 400 || status === 404) && isOurs(body);
        if (isExpected) seen.push(String(status));
        else others.push(`\`${path}\` ${status}${isOurs(body) ? '' : " in others' words"}`);
      }
      const told = others.slice(0, MOST_TOLD);
      const more = others.length > told.length ? [`and ${others.length - told.length} more`] : [];
      return judged(others.length === 0, [counted(seen), ...told, ...more].join(', '));
    },
  },
  {
    name: 'Which of two routes that match is taken',
    expected: "either; on a developer's computer the one that is literal further left",
    async look({ client, repository }) {
      const seen: string[] = [];
      let areTold = true;
      for (const { path, says } of telling(repository)) {
        const { status, body } = await client.send('GET', path);
        const [route] = says.find(([, words]) => isOurs(body) && words.test(body.toString())) ?? [];
        areTold &&= route !== undefined;
        seen.push(`\`${path}\` ${status} by ${route === undefined ? 'neither' : `\`${route}\``}`);
      }
      return judged(areTold, seen.join('; '));
    },
  },
  {
    name: 'The `Link` of a list, which has the base path in it',
    expected: 'leads to another page: 200, and not empty',
    async look({ client: { base, credentials, send } }) {
      const { status, headers } = await send('GET', '/api/v2.0/projects?page=2&page_size=1');
      if (headers['x-total-count'] === '0') return notTried('there is no project of one segment');
      const [, target] = /^<([^>]+)>; rel="prev"/.exec(headers['link'] ?? '') ?? [];
      if (target === undefined) return judged(false, `${status}, Link: ${headers['link'] ?? 'none'}`);
      const page = new URL(target, base);
      if (page.origin !== base.origin) return judged(false, 'leads to another host');
      const authorization = credentials && { authorization: basic(credentials) };
      const found = await sendTo('GET', page, { headers: { ...authorization } });
      const isPage = found.body.toString().startsWith('[{');
      return judged(found.status === 200 && isPage, `${found.status}${isPage ? '' : ', not a page'}`);
    },
  },
  {
    name: 'The more specific of two routes: `/api/chartrepo/health`',
    expected: 'health, not a list of charts',
    async look({ client }) {
      const { status, body } = await client.send('GET', '/api/chartrepo/health');
      return judged(body.toString() === '{"healthy":true}', String(status));
    },
  },
  {
    name: 'The more specific of two routes: `/api/chartrepo/…/charts`',
    expected: "Harbor's list, an array",
    async look({ client, repository }) {
      if (repository.includes('/')) return notTried('a project of Harbor has one segment');
      const { status, body } = await client.send('GET', `/api/chartrepo/${repository}/charts`);
      return judged(
        status === 200 && body.toString().startsWith('['),
        `${status} ${body.toString().slice(0, 1)}`,
      );
    },
  },
  {
    name: 'The more specific of two routes: `/chartrepo/…/index.yaml`',
    expected: 'the index of that project',
    async look({ client, repository }) {
      if (repository.includes('/')) return notTried('a project of Harbor has one segment');
      const own = await client.send('GET', `/${repository}/index.yaml`);
      const { status, body } = await client.send('GET', `/chartrepo/${repository}/index.yaml`);
      return judged(status === 200 && body.equals(own.body), String(status));
    },
  },
];

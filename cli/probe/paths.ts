import { isVariable, tiesOf } from '../../shared/domain/route-ties.ts';
import { routes } from '../../shared/routes.ts';
import { isOurs } from './answers.ts';
import { type Check, judged, notTried } from './check.ts';

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
      for (const path of tied) {
        const { status, body } = await client.send('GET', path);
        seen.push(`${status}${isOurs(body) ? '' : " in others' words"}`);
      }
      return judged(
        seen.every((each) => each === '400' || each === '404'),
        counted(seen),
      );
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

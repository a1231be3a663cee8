import { describe, expect, it } from 'vitest';
import { isAccountName } from '../../shared/domain/account.ts';
import { isChartName } from '../../shared/domain/chart-name.ts';
import { parsePackageFileName } from '../../shared/domain/package-file.ts';
import { asRepository } from '../../shared/domain/repository.ts';
import { isVariable, isWithin, segmentsOf, type Template, tiesOf } from '../../shared/domain/route-ties.ts';
import { parseSemverRange } from '../../shared/domain/semver-range.ts';
import { isUploadId } from '../../shared/domain/upload-id.ts';
import { isChartVersion } from '../../shared/domain/version.ts';
import { type Route, routes } from '../../shared/routes.ts';

const ties = tiesOf(routes);

/** One text of every kind that a variable may hold, so that a path of them is refused for its fixed parts alone. */
const samples = ['redis', '31', '1.2.3', 'latest', '^1.0.0', 'redis-1.2.3.tgz', 'redis-1.2.3.tgz.prov'];

function pathsOf([first, ...rest]: Template): readonly Template[] {
  if (first === undefined) return [[]];
  const choices = isVariable(first) ? samples : [first];
  return pathsOf(rest).flatMap((tail) => choices.map((choice) => [choice, ...tail]));
}

const isRange = (text: string) => text === 'latest' || parseSemverRange(text) !== undefined;

/** Whether a path means something when it is read by a route's template. */
function isLegal(route: Route, path: Template): boolean {
  const values = new Map(segmentsOf(route).map((segment, at) => [segment, path[at] ?? '']));
  const segments = ['{segment1}', '{segment2}', '{segment3}', '{project}'].flatMap(
    (name) => values.get(name) ?? [],
  );
  const [name, version, file, upload, account, member] = [
    '{name}',
    '{version}',
    '{file}',
    '{id}',
    '{account}',
    '{member}',
  ].map((key) => values.get(key));
  return (
    asRepository(segments) !== undefined &&
    (name === undefined || isChartName(name)) &&
    (version === undefined || isChartVersion(version) || isRange(version)) &&
    (file === undefined || parsePackageFileName(file) !== undefined) &&
    (upload === undefined || isUploadId(upload)) &&
    (account === undefined || isAccountName(account)) &&
    (member === undefined || /^\d+$/.test(member))
  );
}

const titled = ties.map((tie) => [`${tie.a.method} ${tie.a.path} and ${tie.b.path}`, tie] as const);

describe('route templates that tie', () => {
  it('are found', () => {
    const titles = titled.map(([title]) => title);
    expect(titles).toContain('GET /api/{segment1}/charts and /api/charts/{name}');
    expect(titles).not.toContain('GET /{segment1}/index.yaml and /charts/{file}');
  });

  it.each(titled)('%s share no path that either may be asked for', (_, { a, b, both }) => {
    for (const path of pathsOf(both)) {
      expect({ path, legal: isLegal(a, path) || isLegal(b, path) }).toEqual({ path, legal: false });
    }
  });
});

/** Pairs of routes of which the first takes all that they share, being the more specific. */
const shadows = routes.flatMap((specific) =>
  routes.flatMap((general) => {
    const hides =
      specific !== general &&
      specific.method === general.method &&
      isWithin(segmentsOf(specific), segmentsOf(general));
    const title = `${specific.method} ${specific.path} takes nothing that ${general.path} may be asked for`;
    return hides ? [[title, { specific, general }] as const] : [];
  }),
);

describe('the more specific of two routes', () => {
  it.each(shadows)('%s', (_, { specific, general }) => {
    for (const path of pathsOf(segmentsOf(specific))) {
      expect({ path, legal: isLegal(general, path) }).toEqual({ path, legal: false });
    }
  });
});

describe('every route', () => {
  it.each(routes)('$method $path has a path that it may be asked for', (route) => {
    expect(pathsOf(segmentsOf(route)).some((path) => isLegal(route, path))).toBe(true);
  });

  it('is there once', () => {
    const keys = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

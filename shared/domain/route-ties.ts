type Keyed = { readonly method: string; readonly path: string };

/** A route's path by segments; `{x}` is a variable. */
export type Template = readonly string[];

/** Two routes, and the template of the paths that match both. */
export type Tie<Route> = { readonly a: Route; readonly b: Route; readonly both: Template };

export const segmentsOf = ({ path }: Pick<Keyed, 'path'>): Template => path.split('/').slice(1);
export const isVariable = (segment: string | undefined): boolean => segment?.startsWith('{') === true;

/** Whether every path that matches `a` matches `b` too. */
export const isWithin = (a: Template, b: Template): boolean =>
  a.length === b.length && a.every((segment, at) => isVariable(b[at]) || segment === b[at]);

/** The template of the paths that match both; undefined if there are none. */
function overlap(a: Template, b: Template): Template | undefined {
  const shared = a.map((segment, at) => (isVariable(segment) ? (b[at] ?? segment) : segment));
  return isWithin(shared, a) && isWithin(shared, b) ? shared : undefined;
}

/**
 * Pairs of routes that share paths and of which neither is the more specific: API Gateway says nothing about
 * which one it takes. Where a third route is the more specific for all that they share, it takes that.
 */
export const tiesOf = <Route extends Keyed>(routes: readonly Route[]): readonly Tie<Route>[] =>
  routes.flatMap((a, at) =>
    routes.slice(at + 1).flatMap((b) => {
      const [ofA, ofB] = [segmentsOf(a), segmentsOf(b)];
      const both = a.method === b.method ? overlap(ofA, ofB) : undefined;
      if (both === undefined || isWithin(ofA, ofB) || isWithin(ofB, ofA)) return [];
      const settled = routes.some((third) => {
        const ofThird = segmentsOf(third);
        const isMoreSpecific = isWithin(ofThird, ofA) && isWithin(ofThird, ofB);
        return third.method === a.method && isMoreSpecific && isWithin(both, ofThird);
      });
      return settled ? [] : [{ a, b, both }];
    }),
  );

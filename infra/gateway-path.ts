/**
 * The path as API Gateway takes it. It refuses a path that ends in `/` and does not match `/x/` by `/x`;
 * a greedy variable, which may be empty, is what matches `/x/`. It also matches what lies deeper and has no
 * route of its own, so the handler of such a path answers 404 where `rest` is not empty.
 */
export function gatewayPath(path: string): string {
  return path !== '/' && path.endsWith('/') ? `${path}{rest+}` : path;
}

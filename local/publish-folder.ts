import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export type PublishedFolder = {
  readonly published: number;
  /** Versions that the repository had already. */
  readonly there: number;
  /** Why each of the others was refused. */
  readonly refused: readonly string[];
};

/**
 * Publishes every package of a folder, and the provenance file beside it, through the HTTP API.
 *
 * @param authorization value of the header, where the API asks for one
 */
export async function publishFolder(
  url: string,
  folder: string,
  authorization: string | undefined,
): Promise<PublishedFolder> {
  const names = new Set(await readdir(folder));
  const headers = { 'content-type': 'application/octet-stream', ...(authorization && { authorization }) };
  const post = async (route: string, name: string) => {
    const body = await readFile(path.join(folder, name));
    const answer = await fetch(`${url}/api/${route}`, { method: 'POST', headers, body });
    return { status: answer.status, text: await answer.text() };
  };
  let published = 0;
  let there = 0;
  const refused: string[] = [];
  for (const name of [...names].filter((each) => each.endsWith('.tgz')).sort()) {
    const answers = [await post('charts', name)];
    if (names.has(`${name}.prov`)) answers.push(await post('prov', `${name}.prov`));
    const bad = answers.find(({ status }) => status !== 409 && status >= 300);
    if (bad !== undefined) refused.push(`${name}: ${bad.status} ${bad.text}`);
    else if (answers[0]?.status === 409) there += 1;
    else published += 1;
  }
  return { published, there, refused };
}

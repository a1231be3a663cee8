import { isSendable, MOST_ANSWER_BYTES } from './answer-limit.ts';
import { readCurrent } from './current-index.ts';
import { chartInfo } from './domain/project-charts.ts';
import type { Repository } from './domain/repository.ts';
import { indexTag } from './index-objects.ts';
import { type ListAnswer, type ListDependencies, storedList } from './list-charts.ts';
import { openIndex } from './published-index.ts';

/** Beside a large index: what {@link listProjectCharts} makes of it. */
const listFile = 'project-charts.json';

/**
 * Lists charts as Harbor does, names ascending, from the index: what was answered 201 is in it. The index is read
 * chart by chart; what was made of a large one is kept beside it, so that it is read once in each of its states.
 *
 * @param isKnown whether who asks has the list of this tag already
 * @throws Fault `try_again`
 */
export async function listProjectCharts(
  dependencies: ListDependencies,
  repository: Repository,
  isKnown: (etag: string) => boolean,
): Promise<ListAnswer> {
  const { objects } = dependencies;
  return await readCurrent(dependencies, repository, async (pointer): Promise<ListAnswer | undefined> => {
    const etag = `${pointer === undefined ? '0' : indexTag(pointer.folder)}-project`;
    if (isKnown(etag)) return { kind: 'known', etag };
    if (pointer === undefined) return { kind: 'inline', etag, text: '[]' };
    const { folder, sizeBytes } = pointer;
    const render = () => renderList(objects, folder);
    if (sizeBytes <= MOST_ANSWER_BYTES) {
      const text = (await render())?.toString();
      if (text === undefined) return undefined;
      if (isSendable(text)) return { kind: 'inline', etag, text };
    }
    const key = `${folder}${listFile}`;
    const stored = await storedList(objects, key, render);
    const small = stored !== undefined && stored.sizeBytes <= MOST_ANSWER_BYTES;
    const text = small ? Buffer.from((await objects.get(key)) ?? []).toString() : '';
    // Clients of Harbor's expect no redirect, so only what cannot be sent is one.
    if (text !== '' && isSendable(text)) return { kind: 'inline', etag, text };
    return stored && { etag, ...stored };
  });
}

/** @returns undefined if the index is lost */
async function renderList(
  objects: ListDependencies['objects'],
  folder: string,
): Promise<Uint8Array | undefined> {
  const index = await openIndex(objects, folder);
  if (index === undefined) return undefined;
  const charts: string[] = [];
  for (const name of index.names) {
    const versions = await index.versions(name);
    const [newest] = versions;
    if (newest === undefined) return undefined;
    const total = index.live(name) ?? versions.length;
    charts.push(JSON.stringify(chartInfo(name, newest, versions, total)));
  }
  return Buffer.from(`[${charts.join(',')}]`);
}

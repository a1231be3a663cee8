import { type NewestOfChart, type NewestVersion, readNewest } from './domain/index-file.ts';
import { planMerge } from './domain/merged-index.ts';
import type { Repository } from './domain/repository.ts';
import { openProjects, readPieces, readProjects } from './project-indexes.ts';
import type { IndexDependencies } from './refresh.ts';

/** A chart that was found: `<project>/<chart>`, and its newest version. */
export type Hit = { readonly name: string; readonly newest: NewestVersion };

// Whoever gets so many looks for something narrower.
const MOST_HITS = 1_000;

// Lambda carries 6 MB; the rest is for what stands around the hits, and for the projects.
const MOST_HITS_BYTES = 4 * 1024 * 1024;

const PIECE_BYTES = 4 * 1024 * 1024;

// As many as are read at once: what comes after the last hit is mostly not read.
const PIECES_TOGETHER = 16;

/**
 * Finds charts in whose `<project>/<chart>`, description or keywords a text is, as `helm search repo` looks for it; in
 * the order of the merged index. It looks into the indexes, so what was answered 201 is found.
 *
 * @param isWanted says so of a text
 * @returns the first 1,000, or fewer where their descriptions are long
 */
export async function searchCharts(
  dependencies: IndexDependencies,
  projects: readonly Repository[],
  isWanted: (text: string) => boolean,
): Promise<readonly Hit[]> {
  const { settings } = dependencies;
  return await readProjects(dependencies, projects, async (indexes, mustBeInTime) => {
    const opened = await openProjects(dependencies, indexes);
    if (opened.kind === 'lost') return opened;
    const { pieces } = planMerge(opened.value, settings, PIECE_BYTES);
    const hits: Hit[] = [];
    let isFull = false;
    for (let from = 0; from < pieces.length && !isFull; from += PIECES_TOGETHER) {
      const together = pieces.slice(from, from + PIECES_TOGETHER);
      const found = new Map<unknown, readonly Hit[]>();
      const lost = await readPieces(
        dependencies,
        together,
        (piece, bytes) => {
          const newest = readNewest(piece, bytes, settings.format);
          if (newest !== undefined) found.set(piece, [...hitsAmong(newest, piece.part.project, isWanted)]);
          return newest !== undefined;
        },
        mustBeInTime,
      );
      if (lost !== undefined) return lost;
      hits.push(...together.flatMap((piece) => found.get(piece) ?? []));
      isFull = hits.length > firstThatFit(hits);
    }
    return { kind: 'read', value: hits.slice(0, firstThatFit(hits)) };
  });
}

function* hitsAmong(
  charts: readonly NewestOfChart[],
  project: Repository,
  isWanted: (text: string) => boolean,
): Generator<Hit> {
  for (const { name, newest } of charts) {
    const hit = { name: `${project}/${name}`, newest };
    if ([hit.name, newest.description ?? '', (newest.keywords ?? []).join(' ')].some(isWanted)) yield hit;
  }
}

/** How many of the hits go into an answer, where each takes what its JSON does as a text in JSON. */
function firstThatFit(hits: readonly Hit[]): number {
  let sizeBytes = 0;
  const beyond = hits.findIndex(({ newest }, at) => {
    sizeBytes += Buffer.byteLength(JSON.stringify(JSON.stringify(newest)));
    return at >= MOST_HITS || sizeBytes > MOST_HITS_BYTES;
  });
  return beyond === -1 ? hits.length : beyond;
}

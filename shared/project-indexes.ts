import { inParallel } from './async-iteration.ts';
import { currentIndex, rebuilding } from './current-index.ts';
import { Fault } from './domain/fault.ts';
import { byProject, type MergedPart, type Piece } from './domain/merged-index.ts';
import type { Repository } from './domain/repository.ts';
import { indexFile } from './index-objects.ts';
import { currentRanges } from './published-index.ts';
import type { IndexDependencies } from './refresh.ts';
import type { Pointer } from './store/pointer-store.ts';

// As for one index: API Gateway cuts a request off after 30 s, and the answer takes some of them.
const PATIENCE_MS = 20_000;

// Each of them may have to be brought up to date, which holds it in memory twice.
const FOUND_AT_ONCE = 8;

/** The current index of a project; no pointer where nothing was ever published. */
export type ProjectIndex = { readonly project: Repository; readonly pointer: Pointer | undefined };

/** A project's index of which it is known where its charts are. */
export type OpenProject = MergedPart & { readonly folder: string };

/** An index that should be there and is not, or is not what its pointer and its ranges say. */
type Lost = { readonly kind: 'lost'; readonly project: Repository; readonly folder: string };

/** What reading gave, or the first index that could not be read. */
export type Reading<Value> = { readonly kind: 'read'; readonly value: Value } | Lost;

export type ReadProjects<Value> = (
  indexes: readonly ProjectIndex[],
  /** To be called before each longer step. @throws Fault `try_again` */
  mustBeInTime: () => void,
) => Promise<Reading<Value>>;

/**
 * Reads something of the current indexes of several projects, each as fresh as if it were read alone; once more where
 * one was replaced and removed meanwhile. No project is left out because its index cannot be read.
 *
 * @param read gets the indexes in the order of their keys in a merged index
 * @throws Fault `try_again` if an index is lost or cannot be brought up to date, or all that takes longer than 20 s
 */
export async function readProjects<Value>(
  dependencies: IndexDependencies,
  projects: readonly Repository[],
  read: ReadProjects<Value>,
): Promise<Value> {
  const { clock } = dependencies;
  const deadline = clock.now() + PATIENCE_MS;
  const mustBeInTime = () => {
    if (clock.now() > deadline) throw takesTooLong();
  };
  const lost = new Set<string>();
  for (;;) {
    const pointers = new Map<Repository, Pointer | undefined>();
    const find = async (project: Repository) => {
      mustBeInTime();
      pointers.set(project, await currentIndex(dependencies, project, { deadline }));
    };
    await inParallel(projects, find, FOUND_AT_ONCE);
    const ordered = projects.toSorted(byProject);
    const reading = await read(
      ordered.map((project) => ({ project, pointer: pointers.get(project) })),
      mustBeInTime,
    );
    if (reading.kind === 'read') return reading.value;
    if (lost.has(reading.folder)) throw await rebuilding(dependencies, reading.project);
    lost.add(reading.folder);
  }
}

const takesTooLong = () =>
  new Fault('try_again', 'the projects take longer to read than a request may last: try again', {
    retryAfterSeconds: 5,
  });

/** Finds where the charts of each index are; indexes that were never made have none. */
export async function openProjects(
  { objects, settings }: Pick<IndexDependencies, 'objects' | 'settings'>,
  indexes: readonly ProjectIndex[],
): Promise<Reading<readonly OpenProject[]>> {
  const opened = new Map<Repository, OpenProject>();
  let lost: Lost | undefined;
  await inParallel(indexes, async ({ project, pointer }) => {
    if (pointer === undefined || lost !== undefined) return;
    const { folder, sizeBytes } = pointer;
    const ranges = await currentRanges(objects, pointer, settings);
    if (ranges === undefined) lost = { kind: 'lost', project, folder };
    else opened.set(project, { project, folder, sizeBytes, ranges });
  });
  return lost ?? { kind: 'read', value: indexes.flatMap(({ project }) => opened.get(project) ?? []) };
}

/** Reads pieces of indexes, a few at a time. @returns the first index that is not there, if there is one */
export async function readPieces(
  { objects }: Pick<IndexDependencies, 'objects'>,
  pieces: readonly Piece<OpenProject>[],
  /** @returns false for bytes that are not what the ranges say */
  take: (piece: Piece<OpenProject>, bytes: Uint8Array) => boolean,
  mustBeInTime: () => void,
): Promise<Lost | undefined> {
  let lost: Lost | undefined;
  await inParallel(pieces, async (piece) => {
    if (lost !== undefined) return;
    mustBeInTime();
    const { project, folder } = piece.part;
    const bytes = await objects.get(`${folder}${indexFile}`, piece.source);
    // Once more: pieces that arrive together are taken one after the other, and each may take long to parse.
    mustBeInTime();
    if (bytes === undefined || !take(piece, bytes)) lost = { kind: 'lost', project, folder };
  });
  return lost;
}

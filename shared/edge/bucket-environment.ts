import { randomUUID } from 'node:crypto';
import { systemClock } from '../clock.ts';
import { currentIndex } from '../current-index.ts';
import type { Repository } from '../domain/repository.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { s3Bucket } from '../store/s3-client.ts';
import {
  type Environment,
  gate,
  indexStores,
  knownRepositories,
  labels,
  pointers,
  repositories,
  settingsOf,
  uploads,
  versions,
} from './environment.ts';
import { reportHappening, reportNotice } from './report.ts';

// Apart from environment.ts, which the hot functions load: whatever imports the S3 client loads it.

export function objects(environment: Environment): ObjectStore {
  return s3Bucket(environment.bucketName());
}

// A request does not refresh the index: it waits for the indexer.
const LOOK_AGAIN_MS = 200;

/** All that publishing needs. */
export function publishDependencies(environment: Environment) {
  return {
    versions: versions(environment),
    pointers: pointers(environment),
    objects: objects(environment),
    admission: gate(environment).admission,
    settingsOf: settingsOf(environment),
    settle: () => systemClock.sleep(LOOK_AGAIN_MS),
    clock: systemClock,
    newId: randomUUID,
    report: reportNotice,
  };
}

/** All that refreshing and reading an index needs. */
export function indexDependencies(environment: Environment) {
  return {
    ...indexStores(environment),
    objects: objects(environment),
    report: reportNotice,
    observe: reportHappening,
  };
}

/** All that reading the indexes of all projects needs. */
export function projectDependencies(environment: Environment) {
  return {
    ...indexDependencies(environment),
    knownRepositories: knownRepositories(environment),
    settingsOf: settingsOf(environment),
  };
}

/** All that the indexer needs: it publishes from the inbox too. */
export function eventDependencies(environment: Environment) {
  const index = indexDependencies(environment);
  return {
    ...index,
    ...gate(environment),
    settingsOf: settingsOf(environment),
    // The indexer is who takes the marks away: it would wait for itself.
    settle: async (repository: Repository) => {
      await currentIndex(index, repository, { rebuildAtMost: Number.POSITIVE_INFINITY });
    },
    uploads: uploads(environment),
    maxPackageBytes: environment.maxPackageBytes,
  };
}

/** All that reconciliation and repair need. */
export function reconcileDependencies(environment: Environment) {
  return {
    ...indexDependencies(environment),
    repositories: repositories(environment),
    knownRepositories: knownRepositories(environment),
    labels: labels(environment),
  };
}

import { canaryName } from '../shared/contract.ts';
import { type EndpointId, fallback } from '../shared/routes.ts';
import type { Needs } from './needs.ts';

const chartFiles: Needs = { table: ['Query'], objects: { files: ['GetObject', 'ListBucket'] } };

/** Parts are put as objects are, and copied from the index before; what failed is given up. */
const puttingAnIndex = ['GetObject', 'PutObject', 'AbortMultipartUpload'] as const;

/**
 * To read the current index: a stale one is refreshed, and the indexer is asked for a full rebuild by an object
 * in the inbox.
 */
const indexNeeds: Needs = {
  table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
  marks: true,
  audit: 'write',
  objects: { index: [...puttingAnIndex, 'ListBucket'], inbox: ['PutObject'] },
};

/** To count the charts of a project, by the index's ranges and what is marked. */
const countNeeds: Needs = {
  table: ['GetItem', 'Query'],
  marks: true,
  objects: { index: ['GetObject', 'ListBucket'] },
};

/** To change who has a role in a project: each is a grant of an account. */
const memberNeeds: Needs = {
  known: ['Query'],
  accounts: ['Query', 'GetItem', 'PutItem'],
  audit: 'write',
};

/** What each endpoint of shared/routes.ts calls; its role allows this and no more. */
export const endpointNeeds: Record<EndpointId, Needs> = {
  'get-home': indexNeeds,
  'get-health': {},
  'get-info': {},
  'get-index': indexNeeds,
  // A signed URL can do what its signer may: reading packages is signed here.
  'get-package': { table: ['GetItem'], objects: { charts: ['GetObject', 'ListBucket'] } },
  // A large one is put into the bucket, and its reading is signed here.
  'get-chart-index': {
    table: ['Query'],
    objects: { mergedChart: ['GetObject', 'PutObject', 'ListBucket'] },
  },
  'list-charts': indexNeeds,
  'get-chart': { table: ['Query'] },
  'get-version': { table: ['Query'] },
  'get-values': chartFiles,
  'get-templates': chartFiles,
  'get-readme': chartFiles,
  'get-schema': chartFiles,
  'get-files': chartFiles,
  'get-definition': chartFiles,
  'get-artifact-hub-file': { table: ['GetItem'] },
  // It counts what there is by pointer and marks, and deletes what is beyond the number of versions to keep.
  'publish-package': {
    table: ['GetItem', 'Query', 'UpdateItem'],
    marks: true,
    objects: {
      charts: ['GetObject', 'ListBucket', 'PutObject', 'DeleteObject'],
      files: ['PutObject', 'DeleteObject'],
    },
  },
  'publish-provenance': { table: ['GetItem', 'UpdateItem'], objects: { charts: ['PutObject'] } },
  // It signs for whoever uploads: they may do what it may.
  'create-upload': { table: ['PutItem'], objects: { inbox: ['PutObject'] } },
  'get-upload': { table: ['GetItem'] },
  'get-settings': { table: ['GetItem'] },
  // Where the index is to list more or fewer versions, the indexer is asked for a new one by an object in the inbox.
  'put-settings': { table: ['GetItem', 'PutItem'], audit: 'write', objects: { inbox: ['PutObject'] } },
  'list-repositories': { known: ['Query'] },
  'get-repository': { table: ['GetItem'], known: ['GetItem'] },
  'put-repository': { known: ['GetItem', 'PutItem'], audit: 'write' },
  'delete-repository': { table: ['GetItem'], known: ['GetItem', 'PutItem'], audit: 'write' },
  'get-whoami': {},
  'list-projects': { ...countNeeds, known: ['Query', 'GetItem'] },
  'create-project': {
    table: ['GetItem', 'Query', 'PutItem'],
    marks: true,
    known: ['GetItem', 'PutItem'],
    // What is left of one that was deleted.
    labels: ['Query', 'GetItem', 'DeleteItem'],
    accounts: ['Query', 'GetItem', 'PutItem'],
    audit: 'write',
  },
  // A project may be asked for by its number, which only all of them tell.
  'get-project': { ...countNeeds, known: ['Query'] },
  'put-project': { table: ['GetItem', 'PutItem'], known: ['Query'], audit: 'write' },
  'delete-project': {
    table: ['GetItem', 'Query'],
    marks: true,
    known: ['Query', 'GetItem', 'PutItem'],
    accounts: ['Query', 'GetItem', 'PutItem'],
    audit: 'write',
  },
  'get-deletable': { table: ['GetItem', 'Query'], marks: true, known: ['Query'] },
  'list-project-repositories': { known: ['Query'] },
  'list-members': { known: ['Query'], accounts: ['Query'] },
  'create-member': memberNeeds,
  'get-member': { known: ['Query'], accounts: ['Query'] },
  'put-member': memberNeeds,
  'delete-member': memberNeeds,
  'get-current-user': {},
  'list-project-charts': indexNeeds,
  'list-project-versions': { table: ['Query'], labels: ['Query'] },
  'get-project-version': {
    table: ['GetItem'],
    labels: ['Query'],
    objects: { files: ['GetObject', 'ListBucket'] },
  },
  'get-system-info': {},
  'list-labels': { table: ['GetItem'], known: ['Query'], labels: ['Query'] },
  'create-label': { table: ['GetItem'], known: ['Query'], labels: ['Query', 'PutItem'], audit: 'write' },
  'get-label': { table: ['GetItem'], known: ['GetItem'], labels: ['GetItem'] },
  // Whoever gives a label another name deletes the item of the one before.
  'put-label': {
    table: ['GetItem'],
    known: ['GetItem'],
    labels: ['GetItem', 'Query', 'PutItem', 'DeleteItem'],
    audit: 'write',
  },
  'delete-label': {
    table: ['GetItem'],
    known: ['GetItem'],
    labels: ['GetItem', 'DeleteItem'],
    audit: 'write',
  },
  'list-version-labels': { table: ['GetItem'], labels: ['Query'] },
  'attach-label': { table: ['GetItem', 'UpdateItem'], labels: ['GetItem'] },
  'detach-label': { table: ['GetItem', 'UpdateItem'] },
  // A large one is put into the bucket, and its reading is signed here.
  'get-merged-index': {
    ...indexNeeds,
    known: ['Query'],
    objects: { ...indexNeeds.objects, mergedProjects: ['GetObject', 'PutObject', 'ListBucket'] },
  },
  search: { ...indexNeeds, known: ['Query'] },
  'get-audit': { audit: 'read' },
  'list-accounts': { accounts: ['Query'] },
  'get-account': { accounts: ['GetItem'] },
  'put-account': { accounts: ['GetItem', 'PutItem'], audit: 'write' },
  'delete-account': { accounts: ['DeleteItem'], audit: 'write' },
  'create-secret': { accounts: ['GetItem', 'PutItem'], audit: 'write' },
  'delete-secret': { accounts: ['GetItem', 'PutItem'], audit: 'write' },
  'delete-version': {
    table: ['GetItem', 'UpdateItem'],
    objects: { charts: ['DeleteObject'], files: ['DeleteObject'] },
  },
  'delete-chart': {
    table: ['GetItem', 'Query', 'UpdateItem'],
    objects: { charts: ['DeleteObject'], files: ['DeleteObject'] },
  },
  [fallback]: {},
};

/** To see who calls: the account, when its secret was used, and how often somebody was wrong about it. */
export const callerNeeds: Needs = {
  accounts: ['GetItem'],
  canary: ['GetItem'],
  uses: true,
  failures: ['GetItem', 'UpdateItem'],
};

/** To see whether the repository is open to all readers. */
export const readerNeeds: Needs = { table: ['GetItem'] };

/** To make the admin's account, or to give it its password again. */
export const seedNeeds: Needs = { accounts: ['GetItem', 'PutItem'], audit: 'write' };

/** To see by which schema the items are written, and to note it where nothing is noted. */
export const schemaNeeds: Needs = { deployment: ['GetItem', 'PutItem'] };

/** To make its repository and, with closed access, a secret of its own; the rest it does as a client. */
export const canaryNeeds: Needs = {
  table: ['GetItem', 'PutItem'],
  onlyIn: canaryName,
  known: ['GetItem', 'PutItem'],
  audit: 'write',
};
export const canaryAccountNeeds: Needs = { canary: ['GetItem', 'PutItem'] };

/** To see whether the repository is there that a path names. */
export const gateNeeds: Needs = { known: ['GetItem'] };

/** To make a repository by publishing to it. */
export const makerNeeds: Needs = { known: ['PutItem'], audit: 'write' };

/** To remove objects from the bucket's history too. */
const forGood = ['ListBucketVersions', 'DeleteObjectVersion'] as const;

/** To publish what comes by the bucket, and to keep every index current. */
export const indexerNeeds: Needs = {
  known: ['GetItem'],
  table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
  marks: true,
  audit: 'write',
  objects: {
    // HEAD, which is a GET to S3: is the package of a reservation there, is a rebuild still asked for?
    charts: ['GetObject', 'ListBucket', 'PutObject', 'DeleteObject'],
    files: ['PutObject', 'DeleteObject'],
    inbox: ['GetObject', 'GetObjectVersion', 'DeleteObject', 'ListBucket', ...forGood],
    rejected: ['PutObject'],
    index: [...puttingAnIndex, 'ListBucket', ...forGood],
  },
};

/** Reconciliation and repair differ in what they may decide, not in what they touch. */
export const upkeepNeeds: Needs = {
  known: ['GetItem'],
  table: ['GetItem', 'Query', 'Scan', 'PutItem', 'UpdateItem', 'DeleteItem'],
  marks: true,
  audit: 'write',
  repositories: true,
  objects: {
    charts: ['GetObject', 'DeleteObject', 'ListBucket'],
    files: ['GetObject', 'PutObject', 'DeleteObject', 'ListBucket'],
    index: [...puttingAnIndex, 'ListBucket', ...forGood],
    // To ask the indexer to look there once more.
    inbox: ['PutObject', 'ListBucket'],
  },
};

/** A pass goes on where the one before it stopped. */
export const passNeeds: Needs = { progress: true };

/** To remove what is left of a deleted repository, with all that the bucket ever held of it. */
export const removalNeeds: Needs = {
  known: ['Query', 'DeleteItem'],
  labels: ['GetItem', 'Query', 'DeleteItem'],
  objects: { charts: forGood, files: forGood, index: forGood, inbox: forGood, rejected: forGood },
};

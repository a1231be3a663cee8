import { afterAll, beforeAll, describe } from 'vitest';
import type { AccountStore } from '../../shared/store/account-store.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import type { FailureStore } from '../../shared/store/failure-store.ts';
import type { KnownRepositoryStore } from '../../shared/store/known-repository-store.ts';
import type { LabelStore } from '../../shared/store/label-store.ts';
import type { ObjectStore } from '../../shared/store/object-store.ts';
import type { PointerStore } from '../../shared/store/pointer-store.ts';
import type { RepositoryStore } from '../../shared/store/repository-store.ts';
import type { SettingsStore } from '../../shared/store/settings-store.ts';
import type { UploadStore } from '../../shared/store/upload-store.ts';
import type { VersionStore } from '../../shared/store/version-store.ts';
import { accountsContract } from './accounts-contract.ts';
import { auditContract } from './audit-contract.ts';
import { failuresContract } from './failures-contract.ts';
import { knownRepositoriesContract } from './known-repositories-contract.ts';
import { labelsContract } from './labels-contract.ts';
import { objectsContract, pagesContract } from './objects-contract.ts';
import { pointersContract } from './pointers-contract.ts';
import { repositoriesContract } from './repositories-contract.ts';
import { type S3, type Shortcoming, s3Contract } from './s3-contract.ts';
import { settingsContract } from './settings-contract.ts';
import { uploadsContract } from './uploads-contract.ts';
import { versionRaces } from './version-races.ts';
import { versionsContract } from './versions-contract.ts';

export type Stores = {
  readonly versions: VersionStore;
  readonly pointers: PointerStore;
  readonly objects: ObjectStore;
  readonly repositories: RepositoryStore;
  readonly settings: SettingsStore;
  readonly uploads: UploadStore;
  readonly accounts: AccountStore;
  readonly failures: FailureStore;
  readonly knownRepositories: KnownRepositoryStore;
  readonly labels: LabelStore;
  readonly audit: AuditStore;
  /** What lies below `objects`, where that can be reached over HTTP. */
  readonly s3?: S3;
};

export type Backend = {
  readonly name: string;
  open(): Promise<Stores & { close(): Promise<void> }>;
  /** False where `objects` has no HTTP side: a memory store has no signatures to check. */
  readonly speaksHttp: boolean;
  /** What this server is known not to do; its tests are left out and named in the output. */
  readonly shortcomings?: readonly Shortcoming[];
};

/**
 * What every store must do, whatever it stands on: one suite for the memory stores, for the servers that
 * `npm start` embeds and for an independent imitation of AWS, so that none of them drifts from the others.
 */
export function storeContract(backend: Backend): void {
  describe(backend.name, () => {
    const opened: { stores?: Awaited<ReturnType<Backend['open']>> } = {};
    beforeAll(async () => {
      opened.stores = await backend.open();
    });
    afterAll(async () => {
      await opened.stores?.close();
    });

    const stores = () => {
      if (opened.stores === undefined) throw new Error(`${backend.name} is not open`);
      return opened.stores;
    };
    const s3 = () => {
      const { s3: below } = stores();
      if (below === undefined) throw new Error(`${backend.name} does not speak HTTP`);
      return below;
    };

    versionsContract(() => stores().versions);
    versionRaces(() => stores().versions);
    pointersContract(() => stores().pointers);
    objectsContract(() => stores().objects);
    pagesContract(() => stores().objects);
    repositoriesContract(() => stores());
    settingsContract(() => stores().settings);
    uploadsContract(() => stores().uploads);
    accountsContract(() => stores().accounts);
    failuresContract(() => stores().failures);
    knownRepositoriesContract(
      () => stores().knownRepositories,
      () => stores().settings,
    );
    labelsContract(stores);
    auditContract(stores);
    if (backend.speaksHttp) s3Contract(s3, backend.shortcomings ?? []);
  });
}

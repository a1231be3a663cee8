import { type Backend, storeContract } from './contract.ts';
import { memoryAccounts } from './memory-accounts.ts';
import { memoryAudit } from './memory-audit.ts';
import { memoryFailures } from './memory-failures.ts';
import { memoryKnownRepositories } from './memory-known-repositories.ts';
import { memoryLabels } from './memory-labels.ts';
import { memoryObjects } from './memory-objects.ts';
import { memoryPointers } from './memory-pointers.ts';
import { memoryRepositories } from './memory-repositories.ts';
import { memorySettings } from './memory-settings.ts';
import { memoryUploads } from './memory-uploads.ts';
import { memoryVersions } from './memory-versions.ts';

const memory: Backend = {
  name: 'memory',
  speaksHttp: false,
  open: async () => {
    // Small pages, so that the suite turns them.
    const versions = memoryVersions({ pageItems: 3 });
    const audit = memoryAudit();
    const settings = memorySettings({ audit });
    return {
      versions,
      pointers: memoryPointers(),
      objects: memoryObjects(),
      audit,
      settings,
      uploads: memoryUploads(),
      accounts: memoryAccounts({ audit }),
      failures: memoryFailures(),
      knownRepositories: memoryKnownRepositories({ audit, settings }),
      labels: memoryLabels({ audit }),
      repositories: memoryRepositories({
        known: () => new Set(versions.items().map(({ repository }) => repository)),
        forget: versions.forget,
      }),
      close: async () => {},
    };
  },
};

storeContract(memory);

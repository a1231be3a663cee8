import { type Backend, storeContract } from './contract.ts';
import { memoryObjects } from './memory-objects.ts';
import { memoryPointers } from './memory-pointers.ts';
import { memoryVersions } from './memory-versions.ts';

const memory: Backend = {
  name: 'memory',
  speaksHttp: false,
  open: async () => ({
    // Small pages, so that the suite turns them.
    versions: memoryVersions({ pageItems: 3 }),
    pointers: memoryPointers(),
    objects: memoryObjects(),
    close: async () => {},
  }),
};

storeContract(memory);

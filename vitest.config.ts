import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What waits or takes long begins first, so that the rest fills the time; by size, these would come last. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) =>
      /\/test\/(whole\/(faults-|upkeep|events)|readme|helm\/helm|store\/embedded|infra\/validation|signature)/.test(
        moduleId,
      );
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

// They start processes and threads, or load handlers as the environment of the moment has them.
const ALONE = [
  'test/{whole,local,helm,harbor-client}/**/*.test.ts',
  'test/{readme,docs}.test.ts',
  'test/edge/access.test.ts',
];

export default defineConfig({
  test: {
    // CDK's own check of a template takes longer than to make it: test/infra/validation.test.ts asks for it.
    env: { CDK_VALIDATION: 'false' },
    testTimeout: 180_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongestFirst },
    // More than there are cores: many wait, for a lease to end or a message to return.
    maxWorkers: availableParallelism() + 2,
    projects: [
      {
        extends: true,
        test: { name: 'alone', include: ALONE, globalSetup: ['test/whole/setup.ts'] },
      },
      {
        extends: true,
        // To load the AWS SDK and the CDK anew for each file would take longer than most of them do.
        test: { name: 'together', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false },
      },
    ],
  },
});

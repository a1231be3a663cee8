import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What mostly waits begins first, so that the rest fills the time; by size, these would come last. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const waits = ({ moduleId }: TestSpecification) => /\/test\/whole\/faults-|\/test\/readme/.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // CDK's own check of a template takes longer than to make it: test/infra/validation.test.ts asks for it.
    env: { CDK_VALIDATION: 'false' },
    testTimeout: 180_000,
    hookTimeout: 120_000,
    globalSetup: ['test/whole/setup.ts'],
    sequence: { sequencer: WaitingFirst },
    // More than a small machine has cores: the tests of faults mostly wait, for a lease to end or a message to return.
    maxWorkers: 6,
  },
});

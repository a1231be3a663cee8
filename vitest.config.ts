import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONG =
  /\/test\/(whole\/(faults-|crowds|upkeep|events|access|failures|projects|seed-admin|scaling)|readme|helm\/(helm|seeds)|store\/embedded|signature|deploy)/;

/**
 * One project after the other, since a process that has loaded the modules of one is of no use to another. In each,
 * what waits or takes long begins first, so that the rest fills the time; by size, these would come last.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project, moduleId }: TestSpecification) =>
      2 * PROJECTS.indexOf(project.name) + (LONG.test(moduleId) ? 0 : 1);
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

// The one that stands alone takes one process a few seconds, which others use meanwhile.
const PROJECTS = ['alone', 'stacks', 'together'];

// They start processes and threads, most of them a whole stack.
const STACKS = [
  'test/{whole,local,helm,harbor-client,deploy,cli}/**/*.test.ts',
  'test/{readme,docs}.test.ts',
];
// They load handlers as the environment of the moment has them.
const ALONE = ['test/edge/access.test.ts'];

// What an operator runs, against whole stacks: it takes a minute of everybody's time and changes seldom, so CI asks for it.
const OPERATIONS = [
  'test/whole/{upkeep,restore,canary}.test.ts',
  'test/helm/export.test.ts',
  'test/cli/{probe,developers}.test.ts',
];
const left = process.env['OPERATIONS'] === 'whole' ? [] : OPERATIONS;

export default defineConfig({
  test: {
    // CDK's own check of a template takes longer than to make it: test/infra/checkers.test.ts asks for it.
    env: { CDK_VALIDATION: 'false' },
    setupFiles: ['test/quiet.ts'],
    testTimeout: 180_000,
    // A deployment takes longer to begin with than the stack on this computer.
    hookTimeout: process.env['CHARTROOM_DEPLOY'] === undefined ? 120_000 : 300_000,
    sequence: { sequencer: LongestFirst },
    // One more than there are cores: many wait, for a lease to end or a message to return. Each loads the SDK and the CDK
    // once more, so that more would cost more than they do.
    maxWorkers: availableParallelism() + 1,
    // To load the AWS SDK and the CDK anew for each file would take longer than most of them do.
    isolate: false,
    projects: [
      {
        extends: true,
        test: { name: 'stacks', include: STACKS, exclude: left, globalSetup: ['test/whole/setup.ts'] },
      },
      { extends: true, test: { name: 'alone', include: ALONE, isolate: true } },
      {
        extends: true,
        test: { name: 'together', include: ['test/**/*.test.ts'], exclude: [...STACKS, ...ALONE, ...left] },
      },
    ],
  },
});

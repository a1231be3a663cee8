import { expect, it } from 'vitest';
import { runCommand } from './probe.ts';

const programs = {
  bench: 'bench/main.ts',
  simulate: 'test/simulation/main.ts',
  mutants: 'test/simulation/mutants.ts',
  soak: 'test/soak/main.ts',
};

it.concurrent.each(Object.entries(programs))(
  'npm run %s says what it does not know, and how it is used',
  async (name, program) => {
    const { code, out, err } = await runCommand(program, ['--bogus']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^Unknown option '--bogus'/);
    expect(err).toContain(`npm run ${name} -- `);
    expect(err).not.toContain('    at ');
  },
);

it.concurrent('npm run bench tells its options', async () => {
  const ran = await runCommand(programs.bench, ['--help']);
  expect(ran).toMatchObject({ code: 0, out: expect.stringContaining('--quick'), err: '' });
});

it.concurrent.each([
  { program: programs.bench, args: ['--sizes', 'many'] },
  { program: programs.simulate, args: ['--histories', 'many'] },
  { program: programs.soak, args: ['--seconds', 'many'] },
])('$program takes numbers alone for $args', async ({ program, args }) => {
  const { code, err } = await runCommand(program, args);
  expect(code).toBe(2);
  expect(err).toMatch(/^--(sizes|histories|seconds) .* numbers?\b/);
});

it.concurrent.each([undefined, '/nowhere/at/all'])(
  'npm run permissions says what is missing for %s',
  async (folder) => {
    const { code, err } = await runCommand('test/permissions/main.ts', [], { CHARTROOM_ACTS: folder });
    expect(code).toBe(2);
    expect(err).toMatch(/^CHARTROOM_ACTS names no folder/);
  },
);

it.concurrent('npm run schemathesis says that it is not there', async () => {
  const { code, err } = await runCommand('test/fuzz/schemathesis.ts', [], { PATH: '/nowhere' });
  expect({ code, err }).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^schemathesis is not on the PATH/),
  });
});

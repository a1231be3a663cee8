import { expect, it } from 'vitest';
import { runHistory } from './history.ts';
import { preparePackages } from './packages.ts';

it('breaks no promise in some histories (npm run simulate has more)', async () => {
  const packages = await preparePackages();
  for (let seed = 1; seed <= 250; seed += 1) {
    const { violation, trace } = await runHistory(seed, packages);
    expect(violation, `seed ${seed}:\n${violation === undefined ? '' : trace.join('\n')}`).toBeUndefined();
  }
});

it('is decided by its seed alone', async () => {
  const packages = await preparePackages();
  for (const seed of [7, 77, 777]) {
    const [one, two] = [await runHistory(seed, packages), await runHistory(seed, packages)];
    expect(one.trace.length).toBeGreaterThan(10);
    expect(two).toEqual(one);
  }
});

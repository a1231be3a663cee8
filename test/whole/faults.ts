import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { aPackage, aProvenance } from '../packages.ts';
import { type Chartroom, listed, sha256, startChartroom } from './chartroom.ts';

/** What may befall a function at a call to a store: an error, or its end, before or after the call took effect. */
export type Fate = 'kill-before' | 'kill-after' | 'fail-before' | 'fail-after';

const reachedTheEnd = Symbol('the fault did not fire any more');

/**
 * Everything that the index lists is listed once and can be had, whole.
 *
 * The index is read before and after the downloads: the indexer may commit what a dead publisher left at any
 * moment, and then a download has the bytes that the later index lists.
 *
 * @returns version → digest, as the later index has it
 */
export async function expectNothingHalfMade(
  chartroom: Chartroom,
  repository: string,
): Promise<Map<string, string>> {
  const before = await readDigests(chartroom, repository);
  const served = new Map<string, string | undefined>();
  for (const [version, { url }] of before) served.set(version, await chartroom.digestAt(url));
  const after = await readDigests(chartroom, repository);
  for (const [version, { digest }] of before) {
    expect([digest, after.get(version)?.digest], version).toContain(served.get(version));
  }
  return new Map([...after].map(([version, { digest }]) => [version, digest]));
}

async function readDigests(chartroom: Chartroom, repository: string) {
  const entries = Object.values((await chartroom.readIndex(repository)).entries).flat();
  const digests = new Map(
    entries.map(({ version, digest, urls }) => [version, { digest, url: `/${repository}/${urls[0]}` }]),
  );
  expect(digests.size, 'versions listed twice').toBe(entries.length);
  return digests;
}

/** The promises under faults of one kind. Each kind has a test file of its own, so that they run side by side. */
export function describeFaults(fate: Fate): void {
  // Each waits for leases and messages, and each end of a function has another one started: minutes.
  if (process.env['FAULTS'] !== 'all') {
    it.todo(`${fate} runs where FAULTS is "all", as in CI`);
    return;
  }
  let chartroom: Chartroom;
  beforeAll(async () => {
    // The whole second, as deployed: the readers and the rest come before the indexer does.
    chartroom = await startChartroom({ retryAfterMs: 100, gatherMs: 1_000 });
  });
  afterEach(() => {
    chartroom.intercept = undefined;
    chartroom.deliver = undefined;
  });
  afterAll(() => chartroom.stop());

  /** Strikes the n-th call that a function makes to the stores. @returns whether it came to that */
  function strikeAt(n: number, endpoint: string, fate: Fate): () => boolean {
    const logicalId = endpoint.replaceAll('-', '');
    let calls = 0;
    chartroom.intercept = ({ caller }) => {
      if (!caller.toLowerCase().startsWith(logicalId)) return 'pass';
      calls += 1;
      return calls === n ? fate : 'pass';
    };
    return () => calls >= n;
  }

  /** Runs a scenario with a fault at the first call, at the second, … until it runs through without. */
  async function atEveryCall(run: (n: number) => Promise<typeof reachedTheEnd | undefined>): Promise<number> {
    for (let n = 1; ; n += 1) {
      if ((await run(n)) === reachedTheEnd) return n - 1;
      expect(n, 'more calls than any of ours makes').toBeLessThan(60);
    }
  }

  describe(`with a function struck by ${fate} at any call to a store`, () => {
    it('a publish is acknowledged and there, or can be sent again', async () => {
      const before = await aPackage();
      const bytes = await aPackage({ version: '1.1.0' });
      const calls = await atEveryCall(async (n) => {
        const repository = `publish/${fate}/${n}`;
        await chartroom.publish(before, repository);
        const struck = strikeAt(n, 'publish-package', fate);
        const { status } = await chartroom.publish(bytes, repository);
        chartroom.intercept = undefined;
        const digests = await expectNothingHalfMade(chartroom, repository);
        expect(digests.get('1.0.0')).toBe(sha256(before));
        if (status === 201) expect(digests.get('1.1.0')).toBe(sha256(bytes));
        // Sent again: whatever state the fault left, the version gets there and stays the same.
        expect([201, 409]).toContain((await chartroom.publish(bytes, repository)).status);
        expect((await expectNothingHalfMade(chartroom, repository)).get('1.1.0')).toBe(sha256(bytes));
        return struck() ? undefined : reachedTheEnd;
      });
      expect(calls).toBeGreaterThanOrEqual(4);
    });

    it('an overwrite is acknowledged and there, or readers see the old or the new package whole', async () => {
      const old = await aPackage();
      const bytes = await aPackage({ description: 'new' });
      const calls = await atEveryCall(async (n) => {
        const repository = `overwrite/${fate}/${n}`;
        await chartroom.publish(old, repository);
        const struck = strikeAt(n, 'publish-package', fate);
        const { status } = await chartroom.publish(bytes, repository, '?force');
        chartroom.intercept = undefined;
        const digest = (await expectNothingHalfMade(chartroom, repository)).get('1.0.0');
        if (status === 201) expect(digest).toBe(sha256(bytes));
        expect([sha256(old), sha256(bytes)]).toContain(digest);
        return struck() ? undefined : reachedTheEnd;
      });
      expect(calls).toBeGreaterThanOrEqual(4);
    });

    it('a package and its provenance file become visible together or not at all', async () => {
      const bytes = await aPackage();
      const form = () => {
        const data = new FormData();
        data.append('chart', new Blob([new Uint8Array(bytes)]), 'demo-1.0.0.tgz');
        data.append('prov', new Blob([new Uint8Array(aProvenance(bytes))]), 'demo-1.0.0.tgz.prov');
        return data;
      };
      await atEveryCall(async (n) => {
        const repository = `signed/${fate}/${n}`;
        const struck = strikeAt(n, 'publish-package', fate);
        await chartroom.send('POST', `/api/${repository}/charts`, { body: form() });
        chartroom.intercept = undefined;
        // Between the two looks the indexer may commit what a dead publisher left, so the package comes second.
        const provenance = await chartroom.digestAt(`/${repository}/charts/demo-1.0.0.tgz.prov`);
        const digest = (await expectNothingHalfMade(chartroom, repository)).get('1.0.0');
        if (provenance !== undefined) expect(digest).toBe(sha256(bytes));
        if (digest !== undefined) {
          const late = await chartroom.digestAt(`/${repository}/charts/demo-1.0.0.tgz.prov`);
          expect(late).toBe(sha256(aProvenance(bytes)));
        }
        return struck() ? undefined : reachedTheEnd;
      });
    });

    it('a delete is acknowledged and the version gone, or it can be sent again', async () => {
      const bytes = await aPackage();
      const calls = await atEveryCall(async (n) => {
        const repository = `delete/${fate}/${n}`;
        await chartroom.publish(bytes, repository);
        await chartroom.readIndex(repository);
        const struck = strikeAt(n, 'delete-version', fate);
        const { status } = await chartroom.send('DELETE', `/api/${repository}/charts/demo/1.0.0`);
        chartroom.intercept = undefined;
        const digests = await expectNothingHalfMade(chartroom, repository);
        if (status === 200) expect(digests.size).toBe(0);
        const again = await chartroom.send('DELETE', `/api/${repository}/charts/demo/1.0.0`);
        expect([200, 404]).toContain(again.status);
        expect(listed(await chartroom.readIndex(repository))).toEqual([]);
        return struck() ? undefined : reachedTheEnd;
      });
      expect(calls).toBeGreaterThanOrEqual(3);
    });

    it('the indexer brings the index up to date all the same, by the message that comes again', async () => {
      const bytes = await aPackage();
      const calls = await atEveryCall(async (n) => {
        const repository = `indexer/${fate}/${n}`;
        const struck = strikeAt(n, 'index-repositories', fate);
        expect((await chartroom.publish(bytes, repository)).status).toBe(201);
        await vi.waitFor(
          async () => {
            expect((await chartroom.publishedIndex(repository))?.pointer.versions).toBe(1);
          },
          { timeout: 30_000, interval: 20 },
        );
        await chartroom.idle();
        chartroom.intercept = undefined;
        expect((await expectNothingHalfMade(chartroom, repository)).get('1.0.0')).toBe(sha256(bytes));
        return struck() ? undefined : reachedTheEnd;
      });
      expect(calls).toBeGreaterThanOrEqual(6);
    });

    it('a reader that refreshes leaves an index that the next reader can use', async () => {
      const bytes = await aPackage();
      chartroom.deliver = () => [];
      const calls = await atEveryCall(async (n) => {
        const repository = `reader/${fate}/${n}`;
        expect((await chartroom.publish(bytes, repository)).status).toBe(201);
        const struck = strikeAt(n, 'get-index', fate);
        await chartroom.send('GET', `/${repository}/index.yaml`);
        chartroom.intercept = undefined;
        expect((await expectNothingHalfMade(chartroom, repository)).get('1.0.0')).toBe(sha256(bytes));
        return struck() ? undefined : reachedTheEnd;
      });
      expect(calls).toBeGreaterThanOrEqual(6);
    });
  });
}

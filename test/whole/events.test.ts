import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Chartroom, listed, startChartroom } from './chartroom.ts';

// Generous: the queue gathers events for a second, and the machine may be busy.
const SECONDS = { timeout: 30_000, interval: 50 };

let chartroom: Chartroom | undefined;
afterEach(async () => {
  await chartroom?.stop();
});

describe('the event path, with nobody reading', () => {
  it('brings the index up to date after a publish and after a delete', async () => {
    const room = await startChartroom();
    chartroom = room;
    expect((await room.publish(await aPackage(), 'org')).status).toBe(201);
    await vi.waitFor(async () => {
      expect(listed((await room.publishedIndex('org'))?.index ?? { entries: {} })).toEqual(['demo 1.0.0']);
    }, SECONDS);
    expect((await room.send('DELETE', '/api/org/charts/demo/1.0.0')).status).toBe(200);
    await vi.waitFor(async () => {
      expect(listed((await room.publishedIndex('org'))?.index ?? { entries: { none: [] } })).toEqual([]);
      expect((await room.publishedIndex('org'))?.pointer.sequence).toBe(2);
    }, SECONDS);
    await room.idle();
    expect((await room.items()).toSorted()).toEqual(['pointer', 'repository#org']);
  });

  it('makes an index with as many versions of each chart as a repository says', async () => {
    const room = await startChartroom();
    chartroom = room;
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) {
      expect((await room.publish(await aPackage({ version }), 'org')).status).toBe(201);
    }
    const isListed = async (...versions: readonly string[]) => {
      const { index } = (await room.publishedIndex('org')) ?? { index: { entries: {} } };
      expect(listed(index)).toEqual(versions.map((version) => `demo ${version}`));
    };
    await vi.waitFor(() => isListed('3.0.0', '2.0.0', '1.0.0'), SECONDS);
    const set = async (body: string) =>
      expect((await room.send('PUT', '/-/settings/org', { body })).status).toBe(200);
    await set('{"indexVersionsPerChart": 2}');
    await vi.waitFor(() => isListed('3.0.0', '2.0.0'), SECONDS);
    await set('{}');
    await vi.waitFor(() => isListed('3.0.0', '2.0.0', '1.0.0'), SECONDS);
  });

  it('does not without the bucket’s notification: it is the events that drive it', async () => {
    const assembly = await withoutNotification(inject('assemblies').open);
    const room = await startChartroom({ assembly });
    chartroom = room;
    expect((await room.publish(await aPackage())).status).toBe(201);
    await room.idle();
    expect(await room.publishedIndex()).toBeUndefined();
    expect(listed(await room.readIndex())).toEqual(['demo 1.0.0']);
    await rm(assembly, { recursive: true });
  });

  it('sets events aside that fail again and again, serves readers, and takes them back when told', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'chartroom-dead-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const room = await startChartroom({ retryAfterMs: 50, dataDir });
    chartroom = room;
    // Whatever the indexer calls fails: a poison for every batch.
    room.intercept = ({ caller }) => (caller.startsWith('indexrepositories') ? 'fail-before' : 'pass');
    expect((await room.publish(await aPackage())).status).toBe(201);
    await vi.waitFor(() => expect(Object.values(room.deadLetters()).flat()).toHaveLength(1), SECONDS);
    await room.idle();
    expect(await room.publishedIndex()).toBeUndefined();
    room.intercept = undefined;
    const command = ['--import', 'tsx', 'local/upkeep.ts', 'redrive', '--data-dir', dataDir];
    const { stdout } = await promisify(execFile)(process.execPath, command);
    expect(stdout).toBe('1 event is sent once more\n');
    await vi.waitFor(async () => {
      expect(listed((await room.publishedIndex())?.index ?? { entries: {} })).toEqual(['demo 1.0.0']);
    }, SECONDS);
    expect(Object.values(room.deadLetters()).flat()).toEqual([]);
  });

  it('gathers many publishes into few indexes', async () => {
    const room = await startChartroom({ gatherMs: 1_000 });
    chartroom = room;
    const versions = Array.from({ length: 30 }, (_, patch) => `1.0.${patch}`);
    await Promise.all(versions.map(async (version) => room.publish(await aPackage({ version }))));
    await vi.waitFor(async () => {
      expect((await room.publishedIndex())?.pointer.versions).toBe(30);
    }, SECONDS);
    expect((await room.publishedIndex())?.pointer.sequence).toBeLessThan(10);
  });
});

/** A copy of an assembly whose bucket tells nobody of its changes. */
async function withoutNotification(assembly: string): Promise<string> {
  const copy = await mkdtemp(path.join(tmpdir(), 'chartroom-deaf-'));
  await cp(assembly, copy, { recursive: true });
  const [file = ''] = (await readdir(copy)).filter((name) => name.endsWith('.template.json'));
  const template = JSON.parse(await readFile(path.join(copy, file), 'utf8'));
  const buckets = Object.values<{ Type: string; Properties: Record<string, unknown> }>(
    template.Resources,
  ).filter(({ Type: type }) => type === 'AWS::S3::Bucket');
  for (const { Properties: properties } of buckets) delete properties['NotificationConfiguration'];
  await writeFile(path.join(copy, file), JSON.stringify(template));
  return copy;
}

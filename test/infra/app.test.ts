import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseSettings } from '../../infra/settings.ts';

const root = path.join(import.meta.dirname, '../..');

/** Runs the app as the CDK's command line does. */
function runApp(context: Record<string, unknown>) {
  const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-app-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'infra/app.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: path.join(folder, 'cdk.out'),
      CDK_CONTEXT_JSON: JSON.stringify(context),
      // As where an `app` in cdk.json begins with `cd`: the command line names it from its own folder.
      CDK_PERF_COUNTERS_FILE: path.join(folder, 'not-there/performance-counters.json'),
    },
  });
  return { status, stdout, stderr };
}

describe('what cdk runs', () => {
  it('says of a setting that cannot be used what is wrong with it, and no more', () => {
    expect(runApp({ domainName: 'charts.example.com' })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'settings "domainName" and "certificateArn" go together: a name is served over TLS alone\n',
    });
  });
});

describe('settings in a document', () => {
  const files = ['README.md', ...readdirSync(path.join(root, 'docs')).map((file) => `docs/${file}`)];
  const blocks = files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => {
      const text = readFileSync(path.join(root, file), 'utf8');
      return [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, block = '']) => ({ file, block }));
    })
    .filter(({ block }) => block.includes('"chartroom":'));

  it('are found', () => {
    expect(blocks.map(({ file }) => file)).toContain('docs/deploying.md');
  });

  it.each(blocks)('can be deployed: $file', ({ block }) => {
    const { context } = JSON.parse(block) as { context: Record<string, unknown> };
    expect(() => parseSettings((key) => context[key], Object.keys(context))).not.toThrow();
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { startLocal } from '../../local/stack.ts';
import { aPackage, aProvenance } from '../packages.ts';

// What the examples of docs/openapi.yaml name.
const REPOSITORIES = ['', '/org', '/org/team', '/org/team/stable'];
const shape = { name: 'demo', version: '0.1.0' };

// What cannot be told from the document is left out: whether access is open, and which names make a good request.
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
];

// 60 examples of each operation take a minute and a half.
const OPTIONS = {
  '--phases': 'examples,coverage,fuzzing',
  '--checks': CHECKS.join(),
  '--max-examples': '60',
  '--seed': '1',
  '--generation-database': 'none',
  '--warnings': 'off',
};

/** Publishes what the examples of docs/openapi.yaml name, so that they are answered with more than 404. */
async function publishExamples(url: string): Promise<void> {
  const body = await aPackage({
    ...shape,
    files: { 'values.yaml': 'replicas: 3\n', 'templates/a.yaml': 'kind: A\n' },
  });
  const headers = { 'content-type': 'application/octet-stream' };
  const files = { charts: new Uint8Array(body), prov: new Uint8Array(aProvenance(body, shape)) };
  for (const repository of REPOSITORIES) {
    for (const [resource, bytes] of Object.entries(files)) {
      const target = `${url}/api${repository}/${resource}`;
      const { status } = await fetch(target, { method: 'POST', headers, body: bytes });
      if (status !== 201) throw new Error(`${target} answered ${status}`);
    }
  }
}

/**
 * Runs schemathesis with docs/openapi.yaml against a Chartroom on this computer that keeps nothing. Arguments are
 * handed on, after ours. The exit code is schemathesis's, or 1 where a function logged an error.
 */
async function main(): Promise<void> {
  if (spawnSync('schemathesis', ['--version']).error !== undefined) {
    console.error('schemathesis is not on the PATH: install it, for example by pipx install schemathesis');
    process.exitCode = 2;
    return;
  }
  let errors = 0;
  const log = (line: string) => {
    if (!/"level":\s*"(error|fatal)"/i.test(line)) return;
    errors += 1;
    console.error(line);
  };
  const stack = await startLocal({ access: 'open', log });
  try {
    await publishExamples(stack.url);
    const options = ['--continue-on-failure', ...Object.entries(OPTIONS).flat(), ...process.argv.slice(2)];
    const child = spawn('schemathesis', ['run', 'docs/openapi.yaml', '--url', stack.url, ...options], {
      stdio: 'inherit',
    });
    const [code] = await once(child, 'exit');
    process.exitCode = code === 0 && errors > 0 ? 1 : (code ?? 1);
  } finally {
    await stack.stop();
  }
}

await main();

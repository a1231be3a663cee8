import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isEnforced } from '../deploy/deploy-kind.ts';
import { aHelm, type Helm } from './helm.ts';

/** The real `helm cm-push` to test with: the one that CM_PUSH_BINARY names (test/cm-push builds it). */
export function cmPushBinary(): string | undefined {
  return process.env['CM_PUSH_BINARY'] || undefined;
}

const command = 'command: "$HELM_PLUGIN_DIR/bin/helm-cm-push"';
const downloaders = 'downloaders:\n- command: bin/helm-cm-push\n  protocols: [cm]';
const cli = `name: cm-push\nusage: push a chart\ndescription: push a chart\n${command}`;

/** A plugin is one thing for Helm 4, a command or a downloader; for Helm 3 it is both. */
const plugins = {
  3: { 'cm-push': [cli, downloaders] },
  4: { 'cm-push': [cli], 'cm-get': ['name: cm-get', command, downloaders] },
};

/**
 * A Helm with `helm cm-push` and `cm://`.
 *
 * @param variables more of its environment; `cm://` is without TLS, but for deployments that speak it alone, unless they say otherwise
 */
export async function aHelmThatPushes(variables: Readonly<Record<string, string>> = {}): Promise<Helm> {
  const binary = cmPushBinary();
  if (binary === undefined) throw new Error('CM_PUSH_BINARY names no helm-cm-push');
  const here = await aHelm({ HELM_REPO_USE_HTTP: String(!isEnforced), ...variables });
  const version = await here.helm('version', '--template', '{{.Version}}');
  for (const [name, parts] of Object.entries(plugins[version.startsWith('v4') ? 4 : 3])) {
    const folder = path.join(here.folder, 'plugins', name);
    const file = path.join(folder, 'bin/helm-cm-push');
    await mkdir(path.dirname(file), { recursive: true });
    await copyFile(binary, file);
    await chmod(file, 0o755);
    await writeFile(path.join(folder, 'plugin.yaml'), `version: 0.10.4\n${parts.join('\n')}\n`);
  }
  return here;
}

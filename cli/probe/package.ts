import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

type Shape = { readonly name: string; readonly version: string; readonly description: string };

/** A chart package with nothing in it but Chart.yaml. */
export async function aPackage({ name, version, description }: Shape): Promise<Buffer> {
  const archive = pack();
  const lines = ['apiVersion: v2', ...Object.entries({ name, version, description }).map(line), ''];
  archive.entry({ name: `${name}/Chart.yaml` }, lines.join('\n'));
  archive.finalize();
  return gzipSync(await buffer(archive));
}

const line = ([key, value]: [string, string]) => `${key}: ${JSON.stringify(value)}`;

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A form with fields before one file, as browsers and curl send it. */
export function aForm(
  fields: Readonly<Record<string, string>>,
  file: { readonly field: string; readonly bytes: Uint8Array },
): { readonly type: string; readonly body: Buffer } {
  const boundary = 'chartroom-probe-0f1e2d3c4b5a';
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${file.field}"; filename="chart.tgz"\r\ncontent-type: application/octet-stream\r\n\r\n`;
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([
      Buffer.from(parts.join('') + head),
      file.bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}

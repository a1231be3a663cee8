import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf } from '../shared/domain/digest.ts';

export type PackageShape = {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  /** More files, by path below the chart's directory. */
  readonly files?: Readonly<Record<string, string>>;
};

/** A chart package, built here byte for byte; the same shape gives the same bytes. */
export async function aPackage(shape: PackageShape = {}): Promise<Buffer> {
  const { name = 'demo', version = '1.0.0', description = 'a chart', files = {} } = shape;
  const chartYaml = `apiVersion: v2\nname: ${JSON.stringify(name)}\nversion: ${JSON.stringify(version)}\ndescription: ${JSON.stringify(description)}\n`;
  const archive = pack();
  for (const [path, content] of Object.entries({ 'Chart.yaml': chartYaml, ...files })) {
    archive.entry({ name: `${name}/${path}`, mtime: new Date(0) }, content);
  }
  archive.finalize();
  return gzipSync(await buffer(archive));
}

/** A provenance file for a package: well-formed, its signature is none. */
export function aProvenance(packageBytes: Uint8Array, { name = 'demo', version = '1.0.0' } = {}): Buffer {
  return Buffer.from(
    `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

apiVersion: v2
name: ${name}
version: ${version}

...
files:
  ${name}-${version}.tgz: sha256:${digestOf(packageBytes)}
-----BEGIN PGP SIGNATURE-----

wsBcBAEBCgAQBQJ=
=abcd
-----END PGP SIGNATURE-----
`,
  );
}

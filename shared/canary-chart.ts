import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { createCleartextMessage, generateKey, sign } from 'openpgp';
import { pack } from 'tar-stream';
import { digestOf } from './domain/digest.ts';
import { type KeyRing, parseKeyRing } from './signature.ts';

/** A chart that is signed, with what is needed to tell that. */
export type SignedChart = {
  readonly name: string;
  readonly version: string;
  /** Of the package. */
  readonly file: string;
  readonly package: Buffer;
  readonly digest: string;
  readonly provenance: string;
  readonly ring: KeyRing;
};

/** Packages a chart with little in it and signs it, as `helm package --sign` does, with a key that nobody keeps. */
export async function signedChart(name: string, version: string): Promise<SignedChart> {
  const metadata = `apiVersion: v2\ndescription: published by the canary\nname: ${name}\nversion: ${version}\n`;
  const archive = pack();
  archive.entry({ name: `${name}/Chart.yaml` }, metadata);
  archive.entry({ name: `${name}/values.yaml` }, 'replicas: 1\n');
  archive.finalize();
  const bytes = gzipSync(await buffer(archive));
  const digest = digestOf(bytes);
  const file = `${name}-${version}.tgz`;
  const text = `${metadata}\n...\nfiles:\n  ${file}: sha256:${digest}`;
  const userIDs = [{ name: 'Chartroom canary' }];
  const { privateKey, publicKey } = await generateKey({ type: 'ecc', userIDs, format: 'object' });
  const provenance = await sign({
    message: await createCleartextMessage({ text }),
    signingKeys: privateKey,
  });
  return {
    ...{ name, version, file, package: bytes, digest, provenance },
    ring: await parseKeyRing(publicKey.armor()),
  };
}

import { gzipSync } from 'node:zlib';

/** One member of a tar archive; what is not given is a plain file of 0644. */
export type Member = {
  readonly name: string;
  readonly data?: string | Uint8Array;
  readonly type?: string;
  readonly mode?: number;
  readonly link?: string;
  readonly magic?: string;
  /** What the header says of the size, byte for byte, if that is not the data's. */
  readonly size?: string;
};

/** A tar archive, byte for byte, so that hostile ones can be made too; with `end: ''` the end mark is left out. */
export function tar(members: readonly Member[], { end = '\0'.repeat(1024) } = {}): Buffer {
  return Buffer.concat([...members.map(memberBytes), Buffer.from(end)]);
}

export function tgz(members: readonly Member[], options?: { end?: string }): Buffer {
  return gzipSync(tar(members, options));
}

/** A package with a Chart.yaml of these lines and more files below its directory. */
export function chartTgz(
  chartYaml: string | Uint8Array,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Buffer {
  const others = Object.entries(files).map(([path, data]) => ({ name: `chart/${path}`, data }));
  return tgz([{ name: 'chart/Chart.yaml', data: chartYaml }, ...others]);
}

/** Records of a pax header, for the member that follows. */
export function pax(records: Readonly<Record<string, string>>, type = 'x'): Member {
  const lines = Object.entries(records).map(([key, value]) => paxRecord(`${key}=${value}\n`));
  return { name: 'pax', type, data: lines.join('') };
}

// The length counts its own digits.
function paxRecord(text: string): string {
  const size = Buffer.byteLength(text) + 1;
  const length = size + String(size + 2).length;
  return `${length} ${text}`;
}

function memberBytes({
  name,
  data = '',
  type = '0',
  mode = 0o644,
  link = '',
  magic = 'ustar\x0000',
  size,
}: Member): Buffer {
  const content = Buffer.from(data);
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(size ?? octal(content.length, 11), 124, 12, 'latin1');
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write(magic, 257, 'latin1');
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte),
      6,
    )} `,
    148,
  );
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}

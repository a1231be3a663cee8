import type { Client } from './http.ts';
import type { Findings, Row } from './run.ts';

type About = {
  readonly client: Client;
  /** Whether the whole address is told. */
  readonly showsHost: boolean;
  readonly date: string;
};

/** The findings as a table in Markdown, for an issue that everybody may read. */
export function table({ rows, version, region }: Findings, { client, showsHost, date }: About): string {
  const { base, credentials } = client;
  const host = showsHost ? base.host : shortened(base.hostname);
  const hasPath = base.pathname !== '/';
  const lines = [
    `Chartroom ${version}, ${date}, region ${region ?? 'not known'}, access ${credentials === undefined ? 'open' : 'by an account'}`,
    `at ${base.protocol}//${host}${hasPath ? (showsHost ? base.pathname : '/… (a base path)') : ''}`,
    '',
    '| check | expected | seen | |',
    '|---|---|---|---|',
    ...rows.map(line),
    '',
    summary(rows),
  ];
  const secrets = [credentials?.password, credentials?.user, showsHost ? undefined : base.hostname];
  return secrets.reduce<string>(
    (text, secret) => (secret === undefined || secret === host ? text : text.replaceAll(secret, '…')),
    lines.join('\n'),
  );
}

function line({ name, expected, seen, verdict }: Row): string {
  const cells = [name, expected, seen, verdict === 'differs' ? '**differs**' : verdict];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')).join(' | ')} |`;
}

/** How many are as expected. */
function summary(rows: readonly Row[]): string {
  const count = (verdict: Row['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  return `${count('ok')} ok, ${count('differs')} differ, ${count('not tried')} not tried`;
}

/** `a1b2….execute-api.eu-west-1.amazonaws.com`: AWS's own part says something, the rest whose it is. */
function shortened(hostname: string): string {
  if (/^(localhost|127\.|\[::1\])/.test(hostname)) return hostname;
  const [, id = '', aws = ''] = /^([^.]+)(\..*\.amazonaws\.com)$/.exec(hostname) ?? [];
  return `${(id || hostname).slice(0, 4)}…${aws}`;
}

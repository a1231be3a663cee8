import type { ListedChart } from '../list-charts.ts';

export type HomePage = {
  /** Where clients reach this Chartroom, without `/` at its end. */
  readonly baseUrl: string;
  /** Path before the repository in links; empty where there is none. */
  readonly contextPath: string;
  /** As whom to read; nobody is asked where it is undefined, as with the next. */
  readonly reader: string | undefined;
  readonly publisher: string | undefined;
  readonly apiEnabled: boolean;
  /** Charts of the root repository, names ascending. */
  readonly charts: readonly ListedChart[];
  /** There are more charts than these. */
  readonly hasMore: boolean;
};

// Enough to find a version by eye; the API lists all of them.
const VERSIONS_SHOWN = 5;

/** The page tells what this is, how to begin, and what there is. No script, nothing from elsewhere. */
export function renderHomePage(page: HomePage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chartroom</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Chartroom</h1>
<p>A Helm chart repository. Add it to Helm, publish a package, install it:</p>
<pre><code>${escapeHtml(commands(page).join('\n'))}</code></pre>
<h2>Charts</h2>
${charts(page)}
</main>
</body>
</html>
`;
}

function commands({ baseUrl, reader, publisher, apiEnabled }: HomePage): string[] {
  const helm = reader === undefined ? '' : ` --username ${reader} --password PASSWORD`;
  const curl = publisher === undefined ? '' : ` --user ${publisher}:PASSWORD`;
  return [
    `helm repo add chartroom ${baseUrl}${helm}`,
    ...(apiEnabled ? [`curl${curl} --data-binary "@mychart-0.1.0.tgz" ${baseUrl}/api/charts`] : []),
    'helm repo update',
    'helm install myrelease chartroom/mychart',
  ];
}

function charts({ charts, hasMore, contextPath }: HomePage): string {
  if (charts.length === 0) return '<p>None yet in the root repository.</p>';
  const items = charts.map((chart) => chartItem(chart, contextPath));
  const api = `<a href="${escapeHtml(`${contextPath}/api/charts`)}">all charts as JSON</a>`;
  const more = hasMore ? `<p>These are the first ${charts.length}: ${api}.</p>` : '';
  return `<ul>\n${items.join('\n')}\n</ul>\n${more}`;
}

function chartItem({ name, versions }: ListedChart, contextPath: string): string {
  const links = versions.slice(0, VERSIONS_SHOWN).map(({ version }) => {
    const file = encodeURIComponent(`${name}-${version}.tgz`);
    return `<a href="${escapeHtml(`${contextPath}/charts/${file}`)}">${escapeHtml(version)}</a>`;
  });
  const hidden = versions.length - links.length;
  const more = hidden > 0 ? ` and ${hidden} older` : '';
  return `<li><strong>${escapeHtml(name)}</strong> ${links.join(' ')}${more}</li>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --page: #fff; --text: #1c2430; --raised: #f1f4f8; --line: #dde3ea; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181d; --text: #dfe5ec; --raised: #1f262e; --line: #2c353f; --link: #7db7f5; }
}
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background: var(--page); color: var(--text); }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { margin: 0; font-size: 1.75rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border-radius: .5rem; background: var(--raised); }
code { font: .875rem/1.6 ui-monospace, monospace; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
a { color: var(--link); }
li a { margin-right: .5rem; }
`;

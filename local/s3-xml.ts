/** Content of an XML element; an undefined value leaves the element out. */
export type XmlContent = { readonly [name: string]: string | number | boolean | undefined | XmlContent };

const escapeXml = (text: string) =>
  text.replace(/[&<>"\p{Cc}]/gu, (character) => `&#${character.charCodeAt(0)};`);

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescapeXml = (text: string) =>
  text.replace(/&(?:#x(\w+)|#(\d+)|(\w+));/g, (_, hex, decimal, name) =>
    name ? (ENTITIES[name] ?? '') : String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal)),
  );

const elements = (content: XmlContent): string =>
  Object.entries(content)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const inner = typeof value === 'object' ? elements(value) : escapeXml(String(value));
      return `<${name}>${inner}</${name}>`;
    })
    .join('');

/** A document: the root element with one content after the other. */
export const xml = (root: string, ...contents: readonly XmlContent[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${contents.map(elements).join('')}</${root}>`;

/** @returns for each element of that name a reader of the texts in it */
export const readXml = (text: string, element: string) =>
  [...text.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(
    ([, row = '']) =>
      (name: string) => {
        const [, inner] = new RegExp(`<${name}>([^<]*)<`).exec(row) ?? [];
        return inner === undefined ? undefined : unescapeXml(inner);
      },
  );

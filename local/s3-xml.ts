/** Content of an XML element; an undefined value leaves the element out. */
export type XmlContent = { readonly [name: string]: string | number | boolean | undefined | XmlContent };

const escapeXml = (text: string) =>
  text.replace(/[&<>"\p{Cc}]/gu, (character) => `&#${character.charCodeAt(0)};`);

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export const unescapeXml = (text = '') =>
  text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (_, decimal, hex, name) =>
    name
      ? (ENTITIES[name] ?? '')
      : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16)),
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

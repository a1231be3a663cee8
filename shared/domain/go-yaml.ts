import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import { Fault } from './fault.ts';
import { type GoScalar, keyText, resolveScalar, ScalarTagError } from './go-scalar.ts';

/**
 * A YAML document as Helm reads it. What an alias names is shared, never copied; so a tree is as small as its text,
 * and {@link parseGoYaml} has bounded what it would grow to.
 */
export type GoYaml = GoScalar | readonly GoYaml[] | ReadonlyMap<string, GoYaml>;

/** How large a document may be, and may become once its aliases are expanded. */
type YamlLimits = { readonly nodes: number; readonly depth: number; readonly expandedBytes: number };

const DEFAULT_LIMITS: YamlLimits = {
  nodes: 500_000, // as written; the parser takes some 300 bytes for each, and "[[[[…" is one byte a node
  depth: 500, // Go reads 10,000 levels; nobody nests that deep, and every level is a stack frame in a reader
  expandedBytes: 32 * 1024 * 1024, // text and punctuation; a file of Helm's largest size (5 MiB), six times over
};

/** What a node becomes when every alias in it is expanded. */
type Size = { readonly nodes: number; readonly bytes: number; readonly depth: number };
type Node = { readonly value: GoYaml; readonly size: Size; readonly isMergeKey: boolean };
type Collection = { readonly kind: 'list' | 'map'; readonly anchor: string; readonly children: Node[] };

/**
 * Reads one YAML document the way Helm does (sigs.k8s.io/yaml over go.yaml.in/yaml/v2): YAML 1.1 booleans, numbers
 * by Go's rules, the last of two equal keys wins, merge keys (`<<`) apply in the order they are written, tags of
 * collections are ignored, only the first document counts. Undefined where there is no document.
 *
 * Aliases are bounded by Go's own rule and, beyond it, in bytes and depth, before anything is expanded.
 *
 * @throws Fault `invalid_package` that begins with `what`
 */
export function parseGoYaml(bytes: Uint8Array, what: string, limits = DEFAULT_LIMITS): GoYaml | undefined {
  const text = decodeUtf8(bytes, what);
  if (countIndicators(text) > limits.nodes) {
    throw new Fault('invalid_package', `${what} holds more than ${limits.nodes} values`);
  }
  try {
    return new Composer(text, parseEvents(text, { maxDepth: limits.depth }), limits).firstDocument();
  } catch (error) {
    if (error instanceof YAMLException) throw unreadable(what, describe(error), error);
    if (error instanceof ScalarTagError || error instanceof DocumentError) {
      throw unreadable(what, error.message, error);
    }
    throw error;
  }
}

/** At least as many as there are nodes: none stands without one of these before it, but for the first. */
function countIndicators(text: string): number {
  let count = 0;
  for (const _ of text.matchAll(/[,[{:]|[-?](?=\s)/g)) count += 1;
  return count;
}

function unreadable(what: string, why: string, cause: unknown): Fault {
  return new Fault('invalid_package', `${what} cannot be read: ${why}`, { cause });
}

function describe({ reason, mark }: YAMLException): string {
  return mark === undefined ? reason : `${reason} (line ${mark.line + 1}, column ${mark.column + 1})`;
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes); // drops a byte order mark, as Helm does
  } catch (error) {
    throw unreadable(what, 'it is not UTF-8 text', error);
  }
}

class DocumentError extends Error {}

/** Makes values of parser events, as decode.go of go.yaml.in/yaml/v2 makes them of nodes. */
class Composer {
  readonly #source: string;
  readonly #events: readonly Event[];
  readonly #limits: YamlLimits;
  readonly #open: Collection[] = [];
  readonly #anchors = new Map<string, Node | 'open'>();
  readonly #tagHandles = new Map([['!!', 'tag:yaml.org,2002:']]);
  #root: Node | undefined;
  #nodes = 0;
  #aliasNodes = 0;

  constructor(source: string, events: readonly Event[], limits: YamlLimits) {
    this.#source = source;
    this.#events = events;
    this.#limits = limits;
  }

  firstDocument(): GoYaml | undefined {
    for (const event of this.#events) {
      if (event.type === EVENT_ID.POP && this.#open.length === 0) break; // the end of the first document
      this.#take(event);
    }
    return this.#root?.value;
  }

  #take(event: Event): void {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        for (const directive of event.directives) {
          if (directive.kind === 'yaml' && directive.version !== '1.1') {
            throw new DocumentError('Helm reads YAML 1.1 only: remove the %YAML line');
          }
          if (directive.kind === 'tag') this.#tagHandles.set(directive.handle, directive.prefix);
        }
        return;
      case EVENT_ID.SCALAR:
        this.#add(this.#scalar(event), this.#anchorOf(event));
        return;
      case EVENT_ID.ALIAS:
        this.#add(this.#alias(this.#anchorOf(event)), '');
        return;
      case EVENT_ID.SEQUENCE:
        this.#begin('list', this.#anchorOf(event));
        return;
      case EVENT_ID.MAPPING:
        this.#begin('map', this.#anchorOf(event));
        return;
      case EVENT_ID.POP:
        this.#end();
    }
  }

  #begin(kind: Collection['kind'], anchor: string): void {
    if (anchor !== '') this.#anchors.set(anchor, 'open');
    this.#count(1);
    this.#open.push({ kind, anchor, children: [] });
  }

  #end(): void {
    const collection = this.#open.pop();
    if (collection === undefined) return;
    const { kind, children, anchor } = collection;
    const value = kind === 'list' ? children.map((child) => child.value) : mapOf(children);
    this.#add({ value, size: this.#sizeOf(children), isMergeKey: false }, anchor);
  }

  #sizeOf(children: readonly Node[]): Size {
    const size = { nodes: 1, bytes: 2, depth: 0 };
    for (const child of children) {
      size.nodes += child.size.nodes;
      size.bytes += child.size.bytes + 1;
      size.depth = Math.max(size.depth, child.size.depth + 1);
    }
    if (size.bytes > this.#limits.expandedBytes || size.depth > this.#limits.depth) {
      throw new DocumentError('its aliases make it too large');
    }
    return size;
  }

  #add(node: Node, anchor: string): void {
    if (anchor !== '') this.#anchors.set(anchor, node);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = node;
    else parent.children.push(node);
  }

  #scalar(event: Extract<Event, { type: typeof EVENT_ID.SCALAR }>): Node {
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED) this.#checkEscapes(event.valueStart, event.valueEnd);
    const text = getScalarValue(this.#source, event);
    const tag = this.#tagOf(event);
    const isPlain = tag === '' && event.style === SCALAR_STYLE.PLAIN;
    const isMergeKey = text === '<<' && (isPlain || tag === '!!merge');
    const value = tag === '' && !isPlain ? text : resolveScalar(tag, text);
    if (!isMergeKey) this.#count(1);
    const size = { nodes: isMergeKey ? 0 : 1, bytes: Buffer.byteLength(text) + 2, depth: 0 };
    return { value, size, isMergeKey };
  }

  /** JSON's `\/` and halves of surrogate pairs are no escapes in YAML 1.1 as Go reads it (scannerc.go). */
  #checkEscapes(start: number, end: number): void {
    const escapes = /\\(?:(?:u|U0000)[dD][89a-fA-F][0-9a-fA-F]{2}|.)/gs;
    for (const [found] of this.#source.slice(start, end).matchAll(escapes)) {
      if (found === '\\/' || found.length > 2) throw new DocumentError(`found unknown escape ${found}`);
    }
  }

  #alias(anchor: string): Node {
    const target = this.#anchors.get(anchor);
    if (target === undefined) throw new DocumentError(`unknown anchor '${anchor}' referenced`);
    if (target === 'open') throw new DocumentError(`anchor '${anchor}' value contains itself`);
    this.#count(1);
    this.#aliasNodes += target.size.nodes;
    this.#count(target.size.nodes);
    return { ...target, size: { ...target.size, nodes: target.size.nodes + 1 }, isMergeKey: false };
  }

  /**
   * The bound of decode.go: up to 400,000 nodes 99% may come of aliases, from 4,000,000 on 10%.
   * (Go asks for 1,000 nodes as well; no document reaches 99% below that.)
   */
  #count(nodes: number): void {
    this.#nodes += nodes;
    const excess = Math.min(Math.max((this.#nodes - 400_000) / 3_600_000, 0), 1);
    if (this.#aliasNodes / this.#nodes > 0.99 - 0.89 * excess) {
      throw new DocumentError('document contains excessive aliasing');
    }
  }

  #anchorOf(event: { readonly anchorStart: number; readonly anchorEnd: number }): string {
    return event.anchorStart === -1 ? '' : this.#source.slice(event.anchorStart, event.anchorEnd);
  }

  /** In the short form, `!!int`; empty without one, and for `!`, which asks for no tag. */
  #tagOf(event: { readonly tagStart: number; readonly tagEnd: number }): string {
    if (event.tagStart === -1) return '';
    const raw = this.#source.slice(event.tagStart, event.tagEnd);
    const [, handle = '', suffix = ''] = /^(!\w*!)(.*)$/.exec(raw) ?? [];
    const prefix = this.#tagHandles.get(handle);
    const tag = prefix === undefined ? raw.replace(/^!<(.*)>$/, '$1') : prefix + suffix;
    return tag === '!' ? '!!str' : tag.replace(/^tag:yaml\.org,2002:/, '!!');
  }
}

function mapOf(children: readonly Node[]): ReadonlyMap<string, GoYaml> {
  const map = new Map<string, GoYaml>();
  for (let index = 0; index + 1 < children.length; index += 2) {
    const [key, value] = children.slice(index, index + 2);
    if (key === undefined || value === undefined) break;
    if (key.isMergeKey) merge(value.value, map);
    else map.set(keyOf(key.value), value.value);
  }
  return map;
}

function keyOf(key: GoYaml): string {
  if (isList(key) || isMap(key)) throw new DocumentError('a list or a mapping cannot be a key');
  const text = keyText(key);
  if (text === undefined) throw new DocumentError(`${key === null ? 'null' : key} cannot be a key`);
  return text;
}

// Of several merged mappings the earlier ones take precedence, so they are written last.
function merge(source: GoYaml, into: Map<string, GoYaml>): void {
  for (const one of isList(source) ? source.toReversed() : [source]) {
    if (!isMap(one)) throw new DocumentError('map merge requires map or sequence of maps as the value');
    for (const [key, value] of one) into.set(key, value);
  }
}

export function isList(value: GoYaml | undefined): value is readonly GoYaml[] {
  return Array.isArray(value);
}

export function isMap(value: GoYaml | undefined): value is ReadonlyMap<string, GoYaml> {
  return value instanceof Map;
}

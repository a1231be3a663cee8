import { type Figure, median, print, shown } from './figures.ts';

/** All figures of a run, by what they are of: printed one after the other, and once more as one table. */
export class Report {
  /** By name and unit, then by size. */
  readonly #rows = new Map<string, Map<string, number>>();
  readonly #sizes: readonly string[];

  /** @param sizes the columns of the table */
  constructor(sizes: readonly number[]) {
    this.#sizes = sizes.map(String);
  }

  /** @param of a size, or what the figures are of where that has no size */
  add(title: string, of: number | string, figures: readonly Figure[]): void {
    print(`${title}${typeof of === 'number' ? ` at ${of.toLocaleString('en')} versions` : ''}`, figures);
    for (const { name, unit, runs } of figures) {
      this.#put(`${title}: ${name}${unit === '' ? '' : ` (${unit})`}`, String(of), median(runs));
    }
  }

  /** How many times as much one figure is as another, by size, wherever both are known. */
  ratio(name: string, row: string, to: string): void {
    for (const [of, value] of this.#rows.get(row) ?? []) {
      const other = this.#rows.get(to)?.get(of);
      if (other !== undefined) this.#put(name, of, value / other);
    }
  }

  /** How many times as much a figure is at the largest size as at the smallest. */
  growth(name: string, row: string): void {
    const [least, most] = [this.#sizes.at(0), this.#sizes.at(-1)];
    const values = this.#rows.get(row);
    if (least === undefined || most === undefined || least === most) return;
    const [small, large] = [values?.get(least), values?.get(most)];
    if (small !== undefined && large !== undefined) this.#put(name, most, large / small);
  }

  #put(row: string, of: string, value: number): void {
    const values = this.#rows.get(row) ?? new Map<string, number>();
    this.#rows.set(row, values.set(of, value));
  }

  /**
   * The table, to be pasted: a row for each figure, a column for each size.
   *
   * @param names of the rows @default all
   */
  markdown(names: readonly string[] = [...this.#rows.keys()]): string {
    const head = ['', ...this.#sizes.map((size) => Number(size).toLocaleString('en'))];
    const rows = names.flatMap((name) => {
      const values = this.#rows.get(name);
      if (values === undefined) return [];
      const cells = this.#sizes.map((size) => values.get(size));
      // What has no size of these stands in the first column.
      const [other] = cells.every((cell) => cell === undefined) ? values.values() : [];
      return [[name, ...cells.map((cell, column) => inTable(column === 0 ? (cell ?? other) : cell))]];
    });
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  }
}

const inTable = (value: number | undefined) => {
  if (value === undefined) return '';
  return value >= 100 ? Math.round(value).toLocaleString('en') : shown(value);
};

import type { AccessChange } from '../domain/audit.ts';
import type { Label } from '../domain/label.ts';
import type { Repository } from '../domain/repository.ts';

/**
 * The labels that versions can have; which ones a version has is in its item. Every read is strong. The audit has a
 * change if, and only if, it took effect.
 */
export type LabelStore = {
  get(id: number): Promise<Label | undefined>;
  /**
   * The labels of a project, or everybody's, in any order; the others are not read. One that is renamed meanwhile may
   * be left out, or come twice.
   */
  in(project: Repository | undefined): AsyncIterable<Label>;
  /**
   * Takes the place of the label as it was. A project has no two labels of one name, nor has everybody.
   *
   * @param replaces undefined where there was none
   * @returns false if the label is another by now, or another one has its name
   */
  put(label: Label, replaces: Label | undefined, change: AccessChange): Promise<boolean>;
  /** @returns false if it is another by now, or gone */
  remove(label: Label, change: AccessChange): Promise<boolean>;
};

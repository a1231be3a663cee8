/** What the table says of how its items are written. */
export type WrittenBy = {
  readonly schema: number;
  /** The first version of Chartroom that reads it. */
  readonly version: string;
};

export type SchemaStore = {
  /** What is noted, if anything is. */
  read(): Promise<WrittenBy | undefined>;
  /** Notes by which schema the items are written, unless that is noted already. @returns what is noted */
  begin(first: WrittenBy): Promise<WrittenBy>;
};

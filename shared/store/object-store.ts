/** An object in a listing. */
export type ListedObject = {
  readonly key: string;
  readonly sizeBytes: number;
  /** When it was put, in milliseconds since 1970. */
  readonly modified: number;
};

/** An object whose bytes may be more than the reader wants. */
export type ReadObject = {
  readonly metadata: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  /** Another at each put. */
  readonly versionId: string;
  /** Left out where there are more of them than were asked for. */
  readonly bytes?: Uint8Array;
};

/** A part of an object that is composed: bytes, asked for when it is their turn, or a range of another object. */
export type ObjectPart =
  | { readonly bytes: () => Promise<Uint8Array> }
  | { readonly from: string; readonly offset: number; readonly sizeBytes: number };

/** What a client posts as a form, `file` last, to put one object. */
export type SignedPost = { readonly url: string; readonly fields: Readonly<Record<string, string>> };

/** What the bucket says of an object without sending it. */
type ObjectHead = { readonly metadata: Readonly<Record<string, string>>; readonly sizeBytes: number };

/** The bucket. Keys are those of shared/domain/object-keys.ts. */
export type ObjectStore = {
  /** Puts a whole object; `metadata` values are ASCII. */
  put(
    key: string,
    bytes: Uint8Array,
    options: { contentType: string; metadata?: Readonly<Record<string, string>> },
  ): Promise<void>;
  /**
   * @param range only these bytes; they must lie within the object
   * @returns the object, or undefined if there is none
   */
  get(
    key: string,
    range?: { readonly offset: number; readonly sizeBytes: number },
  ): Promise<Uint8Array | undefined>;
  /** Bytes and what is said of them, of one moment; undefined if there is no such object. */
  read(key: string, options: { atMostBytes: number }): Promise<ReadObject | undefined>;
  /** @returns undefined if there is no such object */
  head(key: string): Promise<ObjectHead | undefined>;
  exists(key: string): Promise<boolean>;
  /**
   * Copies one put of an object, inside the bucket, with metadata of the copy's own.
   *
   * @returns false if it is not there any more
   */
  copy(
    from: { readonly key: string; readonly versionId: string },
    to: string,
    options: { contentType: string; metadata: Readonly<Record<string, string>> },
  ): Promise<boolean>;
  /**
   * Puts an object together from parts, of which some lie in the bucket: none of it is there until all of it is, and
   * nothing is left of it where that fails.
   *
   * @param parts at least one, and at most 10,000; a few are under way at once. All but the last have 5 MiB or more, and
   *   a range lies within its object
   * @returns false if an object that a range is of is not there any more
   */
  compose(key: string, parts: AsyncIterable<ObjectPart>, options: { contentType: string }): Promise<boolean>;
  /** Deletes objects; those that are not there are fine. At most 1,000 keys. */
  remove(keys: readonly string[]): Promise<void>;
  /** The objects whose keys begin so, in ascending order of their keys. */
  list(prefix: string): AsyncIterable<ListedObject>;
  /**
   * What the keys that begin so have in common up to the first `end` after the prefix: each different
   * beginning once, `end` included, in ascending order.
   *
   * @param after only those that come after this one
   */
  folders(prefix: string, end: string, after?: string): AsyncIterable<string>;
  /** Like `list`, newest first where a key has several, with the id by which {@link ObjectStore.removeForGood} takes what was put. */
  listVersions(prefix: string): AsyncIterable<ListedObject & { readonly versionId: string }>;
  /**
   * Deletes so that the bucket's own history does not hold them either. At most 1,000 of them; those that
   * are not there are fine.
   */
  removeForGood(objects: readonly { readonly key: string; readonly versionId: string }[]): Promise<void>;
  /** @returns a URL that lets its holder GET the object for that long */
  signedUrl(key: string, expiresInSeconds: number): Promise<string>;
  /** @returns what lets its holder put this object, from 1 to that many bytes of it, for that long */
  signedPost(key: string, options: { atMostBytes: number; expiresInSeconds: number }): Promise<SignedPost>;
};

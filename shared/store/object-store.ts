/** The bucket. Keys are those of shared/domain/object-keys.ts. */
export type ObjectStore = {
  /** Puts a whole object; `metadata` values are ASCII. */
  put(
    key: string,
    bytes: Uint8Array,
    options: { contentType: string; metadata?: Readonly<Record<string, string>> },
  ): Promise<void>;
  /** @returns the whole object, or undefined if there is none */
  get(key: string): Promise<Uint8Array | undefined>;
  exists(key: string): Promise<boolean>;
  /** Deletes objects; those that are not there are fine. At most 1,000 keys. */
  remove(keys: readonly string[]): Promise<void>;
  /** @returns a URL that lets its holder GET the object for that long */
  signedUrl(key: string, expiresInSeconds: number): Promise<string>;
};

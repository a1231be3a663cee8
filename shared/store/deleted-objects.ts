import { DeleteObjectsCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';

/** Objects that were deleted, as long as the bucket keeps their bytes. */
export type DeletedObjects = {
  /** Whether an object is there, may come back, or is gone for good. */
  look(key: string): Promise<'there' | 'deleted' | 'gone'>;
  /** Takes the deletion of an object away. What is there or gone stays so. */
  bringBack(key: string): Promise<void>;
};

export function deletedObjects(client: S3Client, bucketName: string): DeletedObjects {
  // One page has all of it: a key is put once, and comes first of those that begin with it.
  const historyOf = async (key: string) => {
    const { Versions: versions = [], DeleteMarkers: markers = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucketName, Prefix: key }),
    );
    const isIts = ({ Key }: { Key?: string | undefined }) => Key === key;
    return { versions: versions.filter(isIts), markers: markers.filter(isIts) };
  };
  return {
    async look(key) {
      const { versions, markers } = await historyOf(key);
      if (versions.length === 0) return 'gone';
      return markers.length === 0 ? 'there' : 'deleted';
    },
    async bringBack(key) {
      const { versions, markers } = await historyOf(key);
      if (versions.length === 0 || markers.length === 0) return;
      // A key never holds two contents, so every marker came after the only one.
      const Objects = markers.map(({ VersionId }) => ({ Key: key, VersionId }));
      const { Errors: errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: bucketName, Delete: { Objects, Quiet: true } }),
      );
      for (const { Message: message } of errors) throw new Error(`${key}: ${message}`);
    },
  };
}

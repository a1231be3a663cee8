import type { Repository } from '../../shared/domain/repository.ts';
import type { UploadRecord, UploadStore } from '../../shared/store/upload-store.ts';
import { type Hook, hooked } from './hook.ts';

export function memoryUploads({ hook }: { readonly hook?: Hook } = {}): UploadStore & {
  known(): Iterable<Repository>;
  forget(repository: Repository): void;
} {
  const call = hooked('uploads', hook);
  const uploads = new Map<Repository, Map<string, UploadRecord>>();
  const claims = new Map<string, string>();
  return {
    get: (repository, id) => call('get', () => uploads.get(repository)?.get(id)),
    put: (repository, upload) =>
      call('put', () => {
        const ofRepository = uploads.get(repository) ?? new Map<string, UploadRecord>();
        uploads.set(repository, ofRepository.set(upload.id, upload));
      }),
    claim: (repository, delivery, key) =>
      call('claim', () => {
        const of = `${repository} ${delivery}`;
        claims.set(of, claims.get(of) ?? key);
        return claims.get(of) ?? key;
      }),
    known: () => uploads.keys(),
    forget: (repository) => void uploads.delete(repository),
  };
}

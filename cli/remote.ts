import { type Digest, isDigest } from '../shared/domain/digest.ts';
import type { Repository } from '../shared/domain/repository.ts';
import { basic, type Credentials } from './command-line.ts';
import { errorIn, noAnswer, whoAsks } from './why.ts';

/** What a Chartroom answered instead of what was asked for. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A Chartroom elsewhere, by its public HTTP API. */
export type Remote = {
  /**
   * Asks by GET; redirects are followed, and the password stays with the host that it is for.
   *
   * @param path below the address, its parts encoded
   * @returns an answer of 200
   * @throws Refusal for any other, and Error where none comes
   */
  get(path: string): Promise<Response>;
  /** The digest of a package or provenance file, which HEAD tells. @returns undefined for what is not there */
  digest(path: string): Promise<Digest | undefined>;
};

/** @param credentials of whoever asks; nobody where access is open */
export function remote(address: URL, credentials: Credentials | undefined): Remote {
  const base = address.href.replace(/\/+$/, '');
  const headers = { ...(credentials && { authorization: basic(credentials) }) };
  const ask = async (method: string, path: string) => {
    try {
      return await fetch(`${base}${path}`, { method, headers });
    } catch (error) {
      throw noAnswer(address, error);
    }
  };
  const refusal = async (path: string, answer: Response) => {
    const refused = `${answer.status} ${errorIn(await answer.text())}`.trimEnd();
    const said = `${base}${path} answered ${refused}`;
    return new Refusal(answer.status, answer.status === 401 ? whoAsks(said) : said);
  };
  return {
    async get(path) {
      const answer = await ask('GET', path);
      if (answer.status !== 200) throw await refusal(path, answer);
      return answer;
    },
    async digest(path) {
      const answer = await ask('HEAD', path);
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw await refusal(path, answer);
      // A proxy that compresses makes a strong tag a weak one.
      const [, tag = ''] = /^(?:W\/)?"(.*)"$/.exec(answer.headers.get('etag') ?? '') ?? [];
      if (!isDigest(tag)) throw new Error(`${base}${path} has no digest for its ETag`);
      return tag;
    },
  };
}

/** The path of something in a repository. */
export function pathIn(repository: Repository, ...parts: readonly string[]): string {
  const segments = repository === '' ? [] : repository.split('/');
  return [...segments, ...parts].map((part) => `/${encodeURIComponent(part)}`).join('');
}

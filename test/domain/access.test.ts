import { describe, expect, it } from 'vitest';
import { EVERYWHERE, may, type Role } from '../../shared/domain/access.ts';
import { parseRepository, type Repository } from '../../shared/domain/repository.ts';
import type { RepositoryPermission } from '../../shared/routes.ts';

const permissions: readonly RepositoryPermission[] = ['read', 'publish', 'maintain', 'administer'];

const at = (path: string): Repository => parseRepository(path.split('/').filter(Boolean));

describe('a role', () => {
  it.each<{ role: Role; has: readonly RepositoryPermission[] }>([
    { role: 'reader', has: ['read'] },
    { role: 'publisher', has: ['read', 'publish'] },
    { role: 'maintainer', has: ['read', 'publish', 'maintain'] },
    { role: 'admin', has: permissions },
  ])('$role has $has', ({ role, has }) => {
    const grants = [{ role, on: 'org' }];
    expect(permissions.filter((permission) => may({ grants }, permission, at('org')))).toEqual(has);
  });

  it('on one repository adds nothing to another role on another', () => {
    const grants = [
      { role: 'admin', on: 'a' },
      { role: 'reader', on: 'b' },
    ] as const;
    expect(may({ grants }, 'publish', at('b'))).toBe(false);
    expect(may({ grants }, 'read', at('b'))).toBe(true);
    expect(may({ grants }, 'administer', at('a'))).toBe(true);
  });
});

describe('a grant', () => {
  const paths = [
    '',
    'org',
    'Org',
    'organisation',
    'org/team',
    'org/team2',
    'org/team/x',
    'my/org',
    'my/org/x',
  ];

  it.each([
    { on: '', covers: [''] },
    { on: 'org', covers: ['org'] },
    { on: 'org/team', covers: ['org/team'] },
    { on: 'org/*', covers: ['org/team', 'org/team2', 'org/team/x'] },
    { on: 'org/team/*', covers: ['org/team/x'] },
    { on: '*', covers: paths },
    { on: 'nowhere/*', covers: [] },
  ])('on "$on" covers $covers', ({ on, covers }) => {
    const grants = [{ role: 'reader', on }] as const;
    expect(paths.filter((path) => may({ grants }, 'read', at(path)))).toEqual(covers);
    expect(may({ grants }, 'read', EVERYWHERE)).toBe(on === '*');
  });

  it('is needed', () => {
    for (const path of paths) expect(may({ grants: [] }, 'read', at(path))).toBe(false);
  });
});

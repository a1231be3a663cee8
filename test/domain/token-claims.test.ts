import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../shared/domain/repository.ts';
import { callerOfToken, tokenScope } from '../../shared/domain/token-claims.ts';
import { accessTo } from '../tokens.ts';

const grants = (...access: readonly unknown[]) => callerOfToken({ sub: 'ci', access }).grants;

describe('the access of a token', () => {
  it.each([
    { actions: ['pull'], role: 'reader' },
    { actions: ['push'], role: 'publisher' },
    { actions: ['pull', 'push'], role: 'publisher' },
    { actions: ['push', 'delete'], role: 'maintainer' },
    { actions: ['pull', 'delete'], role: 'reader' },
    { actions: ['delete'], role: undefined },
    { actions: ['*'], role: undefined },
    { actions: ['PUSH', 'Pull'], role: undefined },
    { actions: [], role: undefined },
    { actions: [['push'], { push: true }, null], role: undefined },
  ])('$actions gives the role $role', ({ actions, role }) => {
    const access = { type: 'artifact-repository', name: 'org', actions };
    expect(grants(access)).toEqual(role === undefined ? [] : [{ role, on: 'org' }]);
  });

  it.each([
    { name: 'org', on: 'org' },
    { name: 'org/team/stable', on: 'org/team/stable' },
    { name: 'repo', on: '' },
    { name: 'repo/x', on: 'repo/x' },
  ])('on $name is one on "$on"', ({ name, on }) => {
    expect(grants(accessTo(name, 'pull'))).toEqual([{ role: 'reader', on }]);
  });

  it.each([
    '',
    '*',
    'org/*',
    '*/team',
    'org/',
    '/org',
    '/',
    '.',
    '..',
    'org/../other',
    'org/..',
    'org%2Fteam',
    'org//team',
    'a/b/c/d',
    'org\n',
    'org#x',
    'api',
    'charts',
  ])('on %j, which names no repository, gives nothing', (name) => {
    expect(grants(accessTo(name, 'pull', 'push', 'delete'))).toEqual([]);
  });

  it.each([
    [null],
    ['artifact-repository:org:push'],
    [[accessTo('org', 'push')]],
    [{ type: 'repository', name: 'org', actions: ['push'] }],
    [{ name: 'org', actions: ['push'] }],
    [{ type: 'artifact-repository', actions: ['push'] }],
    [{ type: 'artifact-repository', name: ['org'], actions: ['push'] }],
    [{ type: 'artifact-repository', name: 'org', actions: 'push' }],
    [{ type: 'artifact-repository', name: 'org', actions: { push: true } }],
    [{ role: 'admin', on: '*' }],
  ])('that is %j gives nothing, and leaves what stands beside it', (entry) => {
    expect(grants(entry, accessTo('org', 'pull'))).toEqual([{ role: 'reader', on: 'org' }]);
  });
});

describe('the bearer of a token', () => {
  it.each([
    { sub: 'repo:org/app:ref:refs/heads/main', name: 'repo:org/app:ref:refs/heads/main' },
    { sub: 'a\r\nb\u001b[2J\u2028c\u202Ed', name: 'a\uFFFD\uFFFDb\uFFFD[2J\uFFFDc\uFFFDd' },
    { sub: '😀'.repeat(200), name: '😀'.repeat(128) },
  ])('is called $name', ({ sub, name }) => {
    expect(callerOfToken({ sub, access: [] })).toEqual({ name, kind: 'token', grants: [] });
  });
});

describe('the scope of a challenge', () => {
  it.each([
    { permission: 'read', path: ['org', 'team'], scope: 'artifact-repository:org/team:pull' },
    { permission: 'publish', path: ['org'], scope: 'artifact-repository:org:push' },
    { permission: 'maintain', path: [], scope: 'artifact-repository:repo:push,delete' },
    { permission: 'administer', path: ['org'], scope: undefined },
    { permission: 'read', path: ['repo'], scope: undefined },
  ] as const)('to $permission $path is $scope', ({ permission, path, scope }) => {
    expect(tokenScope(permission, parseRepository(path))).toBe(scope);
  });
});

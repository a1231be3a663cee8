import { isDeepStrictEqual } from 'node:util';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { functionIds, seeder } from '../../infra/functions.ts';
import { environmentVariables } from '../../shared/contract.ts';
import { type EndpointRoutes, endpoints, fallback } from '../../shared/routes.ts';
import { environmentOf, logicalPrefix, resource, rightsOf, synthesize, textOf } from './synthesize.ts';

const closed = synthesize();
const open = synthesize({ access: 'open', accessReason: 'a mirror of public charts' });

/** The endpoints that ask who calls. */
const withPermission = Object.entries(endpoints).flatMap(([id, { permission }]) =>
  permission === 'none' ? [] : [id],
);

describe('access', () => {
  it('is closed by default, with a password that nobody has seen', () => {
    expect(environmentOf(closed, 'get-index')[environmentVariables.access]).toBe('closed');
    closed.hasResourceProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: {
        SecretStringTemplate: '{"username":"admin"}',
        GenerateStringKey: 'password',
        PasswordLength: 32,
        ExcludePunctuation: true,
      },
    });
  });

  const [secret] = resource(closed, 'AWS::SecretsManager::Secret');

  it.each(functionIds)('%s reads the password if, and only if, it makes the account', (id) => {
    const rights = rightsOf(closed, id).filter(({ action }) => action.startsWith('secretsmanager:'));
    const makes = id === seeder;
    expect(rights.map(({ action, on }) => `${action} ${on}`)).toEqual(
      makes ? [`secretsmanager:GetSecretValue <${secret}>`] : [],
    );
    expect(environmentOf(closed, id)[environmentVariables.adminSecret]).toEqual(
      makes ? { Ref: secret } : undefined,
    );
  });

  it('makes the account by a resource of its own, again where secret, table or code is another', () => {
    const [id, { Properties }] = resource(closed, 'Custom::AdminAccount');
    // Another one would be made anew, and with it the first password would count again.
    expect(id).toBe('seedadminAccount346AA63A');
    const [seed] = resource(closed, 'AWS::Lambda::Function', logicalPrefix(seeder));
    expect(Properties).toEqual({
      ServiceToken: { 'Fn::GetAtt': [seed, 'Arn'] },
      ServiceTimeout: '300',
      secret: { Ref: secret },
      table: { Ref: 'MetadataTableC8A01DE2' },
      code: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('keeps the logical ID of the secret: another one would be another password', () => {
    expect(secret).toBe('AdminSecretC5C2B4DE');
  });

  it('needs no password when it is open', () => {
    open.resourceCountIs('AWS::SecretsManager::Secret', 0);
    open.resourceCountIs('Custom::AdminAccount', 0);
    open.resourceCountIs('AWS::Lambda::Function', functionIds.length - 1);
    expect(environmentOf(open, 'get-index')).not.toHaveProperty(environmentVariables.adminSecret);
    expect(environmentOf(open, 'get-index')[environmentVariables.access]).toBe('open');
  });

  it('cannot be opened without a reason, nor by a typo', () => {
    expect(() => synthesize({ access: 'open' })).toThrow(/accessReason/);
    expect(() => synthesize({ chartroom: { acess: 'open' } })).toThrow(/no setting "acess"/);
  });
});

describe('least privilege', () => {
  const every = functionIds.flatMap((id) => rightsOf(closed, id).map((right) => ({ id, ...right })));
  const holders = (rights: readonly { action: string; id: string }[], ...actions: readonly string[]) =>
    [...new Set(rights.filter(({ action }) => actions.includes(action)).map(({ id }) => id))].toSorted();
  const who = (...actions: readonly string[]) => holders(every, ...actions);
  const inPartitions = (...patterns: readonly string[]) => ({
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': patterns },
  });
  const onlyUses = {
    'ForAllValues:StringLike': {
      'dynamodb:LeadingKeys': ['accounts'],
      'dynamodb:Attributes': ['pk', 'sk', 'used-*'],
    },
  };
  const onFailures = inPartitions('failures#*');
  /** The partitions that a right is bounded to. */
  const partitionsOf = ({ condition }: { condition: unknown }): readonly string[] =>
    (condition as ReturnType<typeof inPartitions> | undefined)?.['ForAllValues:StringLike']?.[
      'dynamodb:LeadingKeys'
    ] ?? [];
  const isOn = (partition: string) => (right: { condition: unknown }) =>
    partitionsOf(right).includes(partition);
  const isOnAccounts = isOn('accounts');
  const isOnKnown = isOn('repositories');

  it('names each action, and each resource up to a prefix of the bucket', () => {
    for (const { action, on } of every) {
      expect(action).not.toContain('*');
      expect(on).toMatch(
        /^<[A-Za-z0-9]+>(\/index\/unindexed|\/(charts|files|index|inbox|rejected|merged\/(projects|chart))\/\*)?$/,
      );
    }
  });

  it("gives a role no policy of AWS's, which allow too much", () => {
    closed.allResourcesProperties('AWS::IAM::Role', {
      ManagedPolicyArns: Match.absent(),
    });
    closed.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
  });

  // Those that CDK makes by itself too.
  it.each([
    { access: 'closed', template: closed },
    { access: 'open', template: open },
  ])('bounds every statement of every role, $access', ({ template }) => {
    const inRoles = Object.values(template.findResources('AWS::IAM::Role')).flatMap(
      ({ Properties: { Policies = [] } }) => Policies,
    );
    const beside = Object.values(template.findResources('AWS::IAM::Policy')).map(
      (each) => each['Properties'],
    );
    const statements = [...inRoles, ...beside].flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    expect(statements.length).toBeGreaterThan(functionIds.length);
    for (const statement of statements) {
      expect(Object.keys(statement)).toEqual(expect.arrayContaining(['Effect', 'Action', 'Resource']));
      expect(Object.keys(statement).filter((key) => key.startsWith('Not'))).toEqual([]);
      const actions: string[] = [statement.Action].flat();
      for (const action of actions) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
      const resources = [statement.Resource].flat().map(textOf);
      for (const on of resources) {
        expect(on).not.toMatch(/^\*/);
        if (!on.includes('*')) continue;
        // An object of S3, below a prefix.
        expect(on).toMatch(/^<\w+>(\/[a-z]+)+\/\*$/);
        for (const action of actions)
          expect(action).toMatch(/^s3:\w+(Object|ObjectVersion|MultipartUpload)$/);
      }
    }
  });

  it('has a role of its own for each function, which nobody but Lambda takes', () => {
    const roles = Object.values(closed.findResources('AWS::Lambda::Function')).map(
      ({ Properties: { Role } }) => textOf(Role),
    );
    expect(new Set(roles).size).toBe(roles.length);
    for (const { Properties } of Object.values(closed.findResources('AWS::IAM::Role'))) {
      const { Statement: trust } = Properties['AssumeRolePolicyDocument'];
      expect(trust).toEqual([
        { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
      ]);
    }
  });

  it('lets only who changes versions, settings or uploads or refreshes indexes write to the table', () => {
    const onRepositories = every.filter(isOn('repository#*'));
    expect(holders(onRepositories, 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem')).toEqual(
      [
        'attach-label',
        'create-project',
        'create-upload',
        'delete-chart',
        'delete-version',
        'detach-label',
        'get-home',
        'get-index',
        'get-merged-index',
        'index-repositories',
        'list-charts',
        'list-project-charts',
        'publish-package',
        'publish-provenance',
        'put-project',
        'put-settings',
        'reconcile',
        'repair',
        'search',
      ],
    );
    const ofCanary = every.filter(isOn('repository#chartroom-canary'));
    expect(holders(ofCanary, 'dynamodb:PutItem')).toEqual(['run-canary']);
  });

  it('lets the canary write its own account and no other, and read no other', () => {
    const partitions = every.filter(({ id }) => id === 'run-canary').flatMap(partitionsOf);
    const own = ['repository#chartroom-canary', 'canary', 'repositories', 'audit#*'];
    expect([...new Set(partitions)].toSorted()).toEqual(own.toSorted());
    const onAccount = every.filter(isOn('canary'));
    expect(holders(onAccount, 'dynamodb:PutItem')).toEqual(['run-canary']);
    expect(holders(onAccount, 'dynamodb:GetItem')).toEqual([...withPermission, 'run-canary'].toSorted());
    expect(new Set(onAccount.map(({ action }) => action))).toEqual(
      new Set(['dynamodb:PutItem', 'dynamodb:GetItem']),
    );
  });

  const onTable = { on: expect.stringMatching(/^<MetadataTable\w+>$/) };

  it('lets whoever asks who calls read accounts, note a use, and count what was wrong', () => {
    for (const id of withPermission) {
      const condition = inPartitions('accounts');
      expect(every).toContainEqual({ id, ...onTable, action: 'dynamodb:GetItem', condition });
      expect(every).toContainEqual({
        id,
        ...onTable,
        action: 'dynamodb:UpdateItem',
        condition: onlyUses,
      });
      for (const action of ['dynamodb:GetItem', 'dynamodb:UpdateItem']) {
        expect(every).toContainEqual({ id, ...onTable, action, condition: onFailures });
      }
    }
  });

  it('lets whoever asks what a caller may do in one repository read whether all may read it', () => {
    const condition = inPartitions('repository#*');
    const asking = (Object.entries(endpoints) as [string, EndpointRoutes][]).flatMap(
      ([id, { permission, everywhere = false }]) =>
        everywhere || ['none', 'account', 'anyone'].includes(permission) ? [] : [id],
    );
    expect(asking.length).toBeGreaterThan(20);
    for (const id of asking) {
      expect(every).toContainEqual({ id, ...onTable, action: 'dynamodb:GetItem', condition });
    }
    for (const id of ['get-whoami', 'get-audit', 'put-account']) {
      expect(every).not.toContainEqual({ id, ...onTable, action: 'dynamodb:GetItem', condition });
    }
  });

  it('bounds everything that is done to items by their partitions; a scan cannot be', () => {
    const table = every.filter(({ action, on }) => action.startsWith('dynamodb:') && !on.includes('/index/'));
    expect(table).not.toHaveLength(0);
    for (const right of table) {
      const { id, action, condition } = right;
      const kinds = [
        ['repository#*'],
        ...(id === 'reconcile' ? [['reconciliation']] : []),
        ['repositories'],
        ...(id === 'run-canary' ? [['repository#chartroom-canary']] : []),
        ['failures#*'],
        ['accounts'],
        ['canary'],
        ['audit#*'],
        ['labels'],
        ['deployment'],
      ];
      if (action === 'dynamodb:Scan') expect(condition).toBeUndefined();
      // A transaction puts into several kinds of partitions at once; whatever else is done, is to one.
      else if (action === 'dynamodb:PutItem') {
        expect(partitionsOf(right)).not.toEqual([]);
        expect(kinds.flat()).toEqual(expect.arrayContaining([...partitionsOf(right)]));
      } else expect(kinds, `${id} ${action}`).toContainEqual(partitionsOf(right));
    }
  });

  it('lets nobody else touch what was counted, nor anybody delete it', () => {
    const counting = every.filter(({ condition }) => isDeepStrictEqual(condition, onFailures));
    expect(holders(counting, 'dynamodb:GetItem', 'dynamodb:UpdateItem')).toEqual(withPermission.toSorted());
    expect(new Set(counting.map(({ action }) => action))).toEqual(
      new Set(['dynamodb:GetItem', 'dynamodb:UpdateItem']),
    );
  });

  it('lets only the API of accounts, and what makes the first, make, list and delete them', () => {
    const onAccounts = every.filter(isOnAccounts);
    // A member of a project is an account with a grant on it.
    const ofMembers = ['create-member', 'create-project', 'delete-member', 'delete-project', 'put-member'];
    expect(holders(onAccounts, 'dynamodb:PutItem')).toEqual(
      [...ofMembers, 'create-secret', 'delete-secret', 'put-account', 'seed-admin'].toSorted(),
    );
    expect(holders(onAccounts, 'dynamodb:DeleteItem')).toEqual(['delete-account']);
    expect(holders(onAccounts, 'dynamodb:Query')).toEqual(
      [...ofMembers, 'get-member', 'list-accounts', 'list-members'].toSorted(),
    );
    const updates = onAccounts.filter(({ action }) => action === 'dynamodb:UpdateItem');
    for (const { condition } of updates) expect(condition).toEqual(onlyUses);
  });

  it('lets who clears marks or changes access put items into the audit, and nobody change or delete them', () => {
    const onAudit = every.filter(isOn('audit#*'));
    expect(holders(onAudit, 'dynamodb:PutItem')).toEqual([
      'create-label',
      'create-member',
      'create-project',
      'create-secret',
      'delete-account',
      'delete-label',
      'delete-member',
      'delete-project',
      'delete-repository',
      'delete-secret',
      'get-home',
      'get-index',
      'get-merged-index',
      'index-repositories',
      'list-charts',
      'list-project-charts',
      'put-account',
      'put-label',
      'put-member',
      'put-project',
      'put-repository',
      'put-settings',
      'reconcile',
      'repair',
      'run-canary',
      'search',
      'seed-admin',
    ]);
    expect(holders(onAudit, 'dynamodb:Query')).toEqual(['get-audit']);
    const others = onAudit.filter(({ action }) => !['dynamodb:PutItem', 'dynamodb:Query'].includes(action));
    expect(others).toEqual([]);
    expect(who('dynamodb:BatchWriteItem')).toEqual([]);
  });

  it('lets nobody touch the table for who calls where nobody is asked', () => {
    const rights = rightsOf(open, 'get-chart').filter(({ action }) => action.startsWith('dynamodb:'));
    expect(rights).toEqual([
      { ...onTable, action: 'dynamodb:Query', condition: inPartitions('repository#*') },
      { ...onTable, action: 'dynamodb:GetItem', condition: inPartitions('repositories') },
    ]);
  });

  it('lets only publishers write packages, and only deleters and what tidies up delete them', () => {
    const onPackages = every.filter(({ on }) => /\/charts\/\*$/.test(on));
    const may = (action: string) => [
      ...new Set(onPackages.filter((right) => right.action === action).map(({ id }) => id)),
    ];
    expect(may('s3:PutObject')).toEqual(['publish-package', 'publish-provenance', 'index-repositories']);
    expect(may('s3:DeleteObject')).toEqual([
      'publish-package',
      'delete-version',
      'delete-chart',
      'index-repositories',
      'reconcile',
      'repair',
    ]);
  });

  it('lets whoever puts an index give up one that failed, and nobody anything else', () => {
    const putting = every.filter(({ on, action }) => /\/index\/\*$/.test(on) && action === 's3:PutObject');
    const giving = every.filter(({ action }) => action === 's3:AbortMultipartUpload');
    expect(giving.map(({ id, on }) => `${id} ${on}`)).toEqual(putting.map(({ id, on }) => `${id} ${on}`));
    expect(giving.length).toBeGreaterThan(5);
  });

  it('lets what makes merged indexes, and what makes those of one chart, put and sign its own, and nobody else', () => {
    const onMerged = every.filter(({ on }) => on.includes('/merged/'));
    const rights = onMerged.map(({ id, action, on }) => `${id} ${action} ${on.slice(on.indexOf('/'))}`);
    expect(rights).toEqual([
      'get-chart-index s3:GetObject /merged/chart/*',
      'get-chart-index s3:PutObject /merged/chart/*',
      'get-merged-index s3:GetObject /merged/projects/*',
      'get-merged-index s3:PutObject /merged/projects/*',
    ]);
  });

  it('lets only what goes over all repositories look for them, and nobody change the bucket', () => {
    expect(who('dynamodb:Scan')).toEqual(['reconcile', 'repair']);
    expect(who('s3:PutBucketPolicy')).toEqual([]);
  });

  it('lets whoever is about a repository see whether it is there', () => {
    const asking = Object.entries(endpoints).flatMap(([id, { paths, permission }]) =>
      permission !== 'none' && paths.some((path) => /{(segment1|project)}/.test(path)) ? [id] : [],
    );
    // A project's label is shown while the project is there.
    const ofLabels = ['get-label', 'put-label', 'delete-label'];
    // HEAD asks for one of those that GET lists.
    const ofProjects = ['create-project', 'list-projects'];
    const others = [...ofLabels, ...ofProjects, 'index-repositories', 'reconcile', 'repair', 'run-canary'];
    expect(holders(every.filter(isOnKnown), 'dynamodb:GetItem')).toEqual([...asking, ...others].toSorted());
  });

  it('lets only who makes and deletes repositories write which there are, and publishers where they may', () => {
    const asked = ['create-project', 'delete-project', 'delete-repository', 'put-repository', 'run-canary'];
    const publishing = ['index-repositories', 'publish-package', 'publish-provenance'];
    const writers = (template: typeof closed) =>
      functionIds
        .filter((id) => {
          if (id === seeder) return false;
          const rights = rightsOf(template, id).filter(isOnKnown);
          return rights.some(({ action }) => action === 'dynamodb:PutItem');
        })
        .toSorted();
    expect(writers(closed)).toEqual(asked);
    expect(writers(synthesize({ createOnPublish: true }))).toEqual([...asked, ...publishing].toSorted());
    expect(writers(open)).toEqual([...asked, ...publishing].toSorted());
    const known = every.filter(isOnKnown);
    // A project may be asked for by its number, which only all of them tell.
    const byNumber = Object.entries(endpoints).flatMap(([id, { paths }]) =>
      paths.some((path) => path.includes('{project}')) ? [id] : [],
    );
    const ofAll = ['get-merged-index', 'list-projects', 'search'];
    expect(holders(known, 'dynamodb:Query')).toEqual(
      [...byNumber, ...ofAll, 'create-label', 'list-labels', 'list-repositories', 'reconcile'].toSorted(),
    );
    expect(holders(known, 'dynamodb:DeleteItem')).toEqual(['reconcile']);
    expect(holders(known, 'dynamodb:UpdateItem')).toEqual([]);
  });

  it('lets only the API of labels make, change and delete them, and what removes their projects', () => {
    const onLabels = every.filter(isOn('labels'));
    expect(holders(onLabels, 'dynamodb:PutItem')).toEqual(['create-label', 'put-label']);
    expect(holders(onLabels, 'dynamodb:DeleteItem')).toEqual([
      'create-project',
      'delete-label',
      'put-label',
      'reconcile',
    ]);
    expect(holders(onLabels, 'dynamodb:UpdateItem')).toEqual([]);
  });

  it('lets only reconciliation, which removes deleted repositories, delete anything for good', () => {
    const onAll = ['charts', 'files', 'inbox', 'index', 'rejected'].map((prefix) => `/${prefix}/*`);
    const deletable = every.flatMap(({ id, action, on }) =>
      id === 'reconcile' && action === 's3:DeleteObjectVersion' ? on.replace(/^<.*>/, '') : [],
    );
    expect(deletable.toSorted()).toEqual(onAll);
  });

  it('lets the others delete for good indexes, and what was taken out of the inbox, and nothing else', () => {
    const deletions = every.filter(({ action }) => action === 's3:DeleteObjectVersion');
    expect(new Set(deletions.map(({ id }) => id))).toEqual(
      new Set(['index-repositories', 'reconcile', 'repair']),
    );
    for (const { id, on } of deletions) {
      if (id !== 'reconcile') expect(on).toMatch(/\/(index|inbox)\/\*$/);
    }
  });

  it('narrows what tells a missing object from a forbidden one to the prefix that is read', () => {
    const listings = every.filter(({ action }) => action === 's3:ListBucket');
    expect(listings).not.toHaveLength(0);
    for (const { id, condition } of listings) {
      const prefix = (condition as { StringLike: { 's3:prefix': string | string[] } }).StringLike[
        's3:prefix'
      ];
      // What goes over everything looks for what is there, and reads it elsewhere.
      const isLooking = ['inbox/*', 'rejected/*'].includes(String(prefix)) && id !== 'index-repositories';
      if (Array.isArray(prefix) || isLooking) {
        expect(['reconcile', 'repair']).toContain(id);
        continue;
      }
      expect(every).toContainEqual(
        expect.objectContaining({ id, action: 's3:GetObject', on: expect.stringContaining(`/${prefix}`) }),
      );
    }
  });

  it.each(['get-health', 'get-info', fallback])('%s touches no store', (id) => {
    expect(rightsOf(closed, id).map(({ action }) => action)).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });
});

describe('the outputs', () => {
  const operating = ['DeadLettersArn', 'RedriveCommand', 'AlarmTopicArn', 'DashboardName'];

  it('tell how to read the password and add the repository', () => {
    const outputs = Object.keys(closed.findOutputs('*'));
    expect(outputs).toEqual([
      'ApiUrl',
      'TableName',
      'BucketName',
      'RepairFunctionName',
      ...operating,
      'PublishCommand',
      'AdminSecretArn',
      'AdminPasswordCommand',
      'SeedAdminFunctionName',
      'HelmRepoAdd',
    ]);
    expect(textOf(closed.findOutputs('HelmRepoAdd')['HelmRepoAdd']?.['Value'])).toMatch(
      /\| helm repo add chartroom <Api[^>]*> --force-update --username admin --password-stdin$/,
    );
  });

  it('ask for no password when access is open', () => {
    expect(Object.keys(open.findOutputs('*'))).toEqual([
      'ApiUrl',
      'TableName',
      'BucketName',
      'RepairFunctionName',
      ...operating,
      'PublishCommand',
      'HelmRepoAdd',
    ]);
    expect(textOf(open.findOutputs('HelmRepoAdd')['HelmRepoAdd']?.['Value'])).toMatch(
      /^helm repo add chartroom <Api[^>]*> --force-update$/,
    );
  });
});

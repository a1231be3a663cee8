import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { answerUnknownRoute } from '../../functions/answer-unknown-route.ts';
import { postVersionLabel } from '../../functions/attach-label.ts';
import { postLabel } from '../../functions/create-label.ts';
import { postMember } from '../../functions/create-member.ts';
import { postProject } from '../../functions/create-project.ts';
import { postSecret } from '../../functions/create-secret.ts';
import { createUpload } from '../../functions/create-upload.ts';
import { removeAccount } from '../../functions/delete-account.ts';
import { removeChart } from '../../functions/delete-chart.ts';
import { removeLabel } from '../../functions/delete-label.ts';
import { deleteMember } from '../../functions/delete-member.ts';
import { removeProject } from '../../functions/delete-project.ts';
import { removeRepository } from '../../functions/delete-repository.ts';
import { removeSecret } from '../../functions/delete-secret.ts';
import { removeVersion } from '../../functions/delete-version.ts';
import { deleteVersionLabel } from '../../functions/detach-label.ts';
import { getAccount } from '../../functions/get-account.ts';
import { getArtifactHubFile } from '../../functions/get-artifact-hub-file.ts';
import { getAudit } from '../../functions/get-audit.ts';
import { getChart } from '../../functions/get-chart.ts';
import { getChartIndex } from '../../functions/get-chart-index.ts';
import { getCurrentUser } from '../../functions/get-current-user.ts';
import { getDefinition } from '../../functions/get-definition.ts';
import { getDeletable } from '../../functions/get-deletable.ts';
import { getFiles } from '../../functions/get-files.ts';
import { getHealth } from '../../functions/get-health.ts';
import { getHome } from '../../functions/get-home.ts';
import { getIndex } from '../../functions/get-index.ts';
import { getInfo } from '../../functions/get-info.ts';
import { getLabel } from '../../functions/get-label.ts';
import { getMember } from '../../functions/get-member.ts';
import { getMergedIndex } from '../../functions/get-merged-index.ts';
import { getPackage } from '../../functions/get-package.ts';
import { getProject } from '../../functions/get-project.ts';
import { getProjectVersion } from '../../functions/get-project-version.ts';
import { getReadme } from '../../functions/get-readme.ts';
import { getRepository } from '../../functions/get-repository.ts';
import { getSchema } from '../../functions/get-schema.ts';
import { getSettings } from '../../functions/get-settings.ts';
import { getSystemInfo } from '../../functions/get-system-info.ts';
import { getTemplates } from '../../functions/get-templates.ts';
import { getUpload } from '../../functions/get-upload.ts';
import { getValues } from '../../functions/get-values.ts';
import { getVersion } from '../../functions/get-version.ts';
import { getWhoami } from '../../functions/get-whoami.ts';
import { listAccounts } from '../../functions/list-accounts.ts';
import { getCharts } from '../../functions/list-charts.ts';
import { listLabels } from '../../functions/list-labels.ts';
import { listMembers } from '../../functions/list-members.ts';
import { getProjectCharts } from '../../functions/list-project-charts.ts';
import { listProjectRepositories } from '../../functions/list-project-repositories.ts';
import { getProjectVersions } from '../../functions/list-project-versions.ts';
import { listProjects } from '../../functions/list-projects.ts';
import { listRepositories } from '../../functions/list-repositories.ts';
import { listVersionLabels } from '../../functions/list-version-labels.ts';
import { postPackage } from '../../functions/publish-package.ts';
import { postProvenance } from '../../functions/publish-provenance.ts';
import { replaceAccount } from '../../functions/put-account.ts';
import { replaceLabel } from '../../functions/put-label.ts';
import { replaceMember } from '../../functions/put-member.ts';
import { changeProject } from '../../functions/put-project.ts';
import { makeRepository } from '../../functions/put-repository.ts';
import { replaceSettings } from '../../functions/put-settings.ts';
import { search } from '../../functions/search.ts';
import { accountAuthentication } from '../../shared/account-credentials.ts';
import type { IndexSettings } from '../../shared/domain/entry.ts';
import type { RepositorySettings } from '../../shared/domain/settings.ts';
import { type Authenticate, basicAuthentication } from '../../shared/edge/authenticate.ts';
import { authorization, openAuthorization } from '../../shared/edge/authorize.ts';
import { askingForTokens, withTokens } from '../../shared/edge/bearer.ts';
import { projectLocator } from '../../shared/edge/project.ts';
import { type Authorize, type Endpoint, type ProtectedEndpointId, serve } from '../../shared/edge/serve.ts';
import type { UploadRules } from '../../shared/edge/upload.ts';
import { failureLimit } from '../../shared/failure-limit.ts';
import { type EndpointId, endpoints as rows } from '../../shared/routes.ts';
import { seedAdmin } from '../../shared/seed-admin.ts';
import { type TokenSettings, tokenAuthentication } from '../../shared/token-credentials.ts';
import type { MemoryObject } from '../store/memory-objects.ts';
import { aWorld } from '../use-cases/world.ts';
import { anEvent, type Sent } from './events.ts';

export type Answer = {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
};

type Options = Partial<UploadRules> & {
  readonly settings?: Partial<IndexSettings>;
  readonly deployment?: Partial<RepositorySettings>;
  readonly apiEnabled?: boolean;
  /** @default 'open' */
  readonly access?: 'open' | 'closed';
  /** Whose tokens are taken. @default nobody's */
  readonly tokens?: TokenSettings;
  readonly createOnPublish?: boolean;
};

/** All endpoints over memory stores, called the way the gateway calls them. */
export function aChartroom(options: Options = {}) {
  const { settings = {}, deployment = {}, apiEnabled = true, access = 'open', tokens, ...others } = options;
  const { createOnPublish = false, ...rules } = others;
  const world = aWorld({ settings, deployment, rules: { access, createOnPublish } });
  const uploads: UploadRules = {
    maxUploadBytes: 4_194_304,
    formFields: { chart: 'chart', prov: 'prov' },
    ...rules,
  };
  const ofRepositories = { ...world, settings: world.repositorySettings };
  const endpoints: Record<EndpointId, Endpoint> = {
    'answer-unknown-route': answerUnknownRoute({ apiEnabled }),
    'attach-label': postVersionLabel(world),
    'create-label': postLabel(world),
    'delete-label': removeLabel(world),
    'detach-label': deleteVersionLabel(world),
    'get-label': getLabel(world),
    'list-labels': listLabels(world),
    'list-version-labels': listVersionLabels(world),
    'put-label': replaceLabel(world),
    'create-secret': postSecret(world),
    'create-upload': createUpload(world),
    'delete-account': removeAccount(world),
    'delete-chart': removeChart(world),
    'delete-repository': removeRepository(world),
    'delete-secret': removeSecret(world),
    'delete-version': removeVersion(world),
    'get-account': getAccount(world),
    'get-audit': getAudit(world),
    'get-chart': getChart(world),
    'get-chart-index': getChartIndex(world),
    'get-artifact-hub-file': getArtifactHubFile(ofRepositories),
    'get-definition': getDefinition(world),
    'get-files': getFiles(world),
    'get-health': getHealth(),
    'get-home': getHome(world, { apiEnabled }),
    'get-index': getIndex(world),
    'get-info': getInfo({ version: '1.2.3' }),
    'get-merged-index': getMergedIndex(world),
    'get-package': getPackage(world),
    'get-project': getProject(world),
    'get-readme': getReadme(world),
    'get-repository': getRepository(world),
    'get-schema': getSchema(world),
    'get-settings': getSettings(ofRepositories),
    'get-system-info': getSystemInfo(),
    'get-templates': getTemplates(world),
    'get-upload': getUpload(world),
    'get-values': getValues(world),
    'get-version': getVersion(world),
    'get-whoami': getWhoami(),
    'list-accounts': listAccounts(world),
    'list-charts': getCharts(world),
    'list-project-charts': getProjectCharts(world),
    'list-project-versions': getProjectVersions(world),
    'get-project-version': getProjectVersion(world),
    'list-projects': listProjects(world),
    'create-member': postMember(world),
    'create-project': postProject(ofRepositories),
    'delete-member': deleteMember(world),
    'delete-project': removeProject(world),
    'get-current-user': getCurrentUser(),
    'get-member': getMember(world),
    'get-deletable': getDeletable(world),
    'list-members': listMembers(world),
    'list-project-repositories': listProjectRepositories(),
    'put-member': replaceMember(world),
    'put-project': changeProject(ofRepositories),
    'list-repositories': listRepositories(world),
    'publish-package': postPackage(world, uploads),
    'publish-provenance': postProvenance(world, uploads),
    'put-account': replaceAccount({ ...world, hashPassword }),
    'put-repository': makeRepository(world),
    'put-settings': replaceSettings(ofRepositories),
    search: search(world),
  };

  const basic = closedTo(world);
  const authenticate =
    tokens === undefined ? basic : withTokens(tokenAuthentication(tokens, world.clock), basic);
  const makeAuthorize = (id: EndpointId): Authorize | undefined => {
    if (!isProtected(id)) return undefined;
    const locate = projectLocator(id, () => world.knownRepositories);
    if (access === 'open') return openAuthorization(id, { ...world, gate: world, locate });
    const authorize = authorization(id, { ...world, authenticate, gate: world, locate });
    return tokens === undefined ? authorize : askingForTokens(id, authorize, tokens);
  };
  // Made once, as in an execution environment: some of them remember.
  const authorizers = new Map<EndpointId, Authorize | undefined>();
  const authorizeOf = (id: EndpointId): Authorize | undefined => {
    if (!authorizers.has(id)) authorizers.set(id, makeAuthorize(id));
    return authorizers.get(id);
  };

  const answering = (id: EndpointId): Endpoint =>
    tokens === undefined || !isProtected(id) ? endpoints[id] : askingForTokens(id, endpoints[id], tokens);

  const send = async (method: string, target: string, sent: Sent = {}): Promise<Answer> => {
    const { endpoint, event } = anEvent(method, target, sent);
    const result = await serve(
      endpoint,
      answering(endpoint),
      authorizeOf(endpoint),
      world.settings.contextPath,
    )(event);
    const body = Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8').toString();
    return { status: result.statusCode, headers: result.headers ?? {}, body };
  };

  return { ...world, send };
}

const isProtected = (id: EndpointId): id is ProtectedEndpointId =>
  id in rows && rows[id as keyof typeof rows].permission !== 'none';

export const adminPassword = 'correct horse';

/** The real one takes a third of a second, on purpose; test/password.test.ts is about it. */
const hashPassword = async (password: string) => `hash of ${password}`;

/** Who is let into a closed Chartroom. */
function closedTo({ accounts, failures, clock }: ReturnType<typeof aWorld>): Authenticate {
  const secret = { readPassword: async () => adminPassword };
  const seeding = { accounts, clock, secret, hashPassword, newId: randomUUID };
  const seeded = seedAdmin(seeding, { reset: false });
  const report = (_: string, error: unknown) => {
    throw error;
  };
  const authenticateAccount = accountAuthentication({
    accounts,
    clock,
    verifyPassword: async (password, hash) => hash === (await hashPassword(password)),
    limit: failureLimit({ failures, clock, report }),
    wasWrong: () => {},
    report,
  });
  const authenticate = basicAuthentication(authenticateAccount);
  return async (request) => {
    await seeded;
    return await authenticate(request);
  };
}

/** The header by which somebody says who they are. */
export const basic = (account: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${account}:${password}`).toString('base64')}`,
});

export type Chartroom = ReturnType<typeof aChartroom>;

/** Everything that a Chartroom keeps, to see that a refusal changed none of it. */
export function contents({ versions, objects }: Chartroom): {
  items: unknown;
  objects: ReadonlyMap<string, MemoryObject>;
} {
  return { items: structuredClone(versions.items()), objects: new Map(objects.objects) };
}

/** Publishes a package as curl does, which must succeed. */
export async function publish(
  chartroom: Chartroom,
  body: Uint8Array,
  path = '/api/charts?force',
): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream' };
  const { status, body: text } = await chartroom.send('POST', path, { headers, body });
  if (status !== 201) throw new Error(`publishing answered ${status}: ${text}`);
}

/** The headers of every answer to a client that came by TLS, but for the page's policy. */
export const answerHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-request-id': 'gateway-id=',
};

/** The headers of every JSON answer. */
export const jsonHeaders = { ...answerHeaders, 'content-type': 'application/json; charset=utf-8' };

/** The headers of every answer to a read, beside its type. */
export const readHeaders = {
  ...answerHeaders,
  etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
  'cache-control': 'no-cache',
  vary: 'Accept-Encoding',
  'accept-ranges': 'bytes',
};

/** The body of a refusal, in the words of both families of clients. */
export const refusal = (code: string, message: string) =>
  JSON.stringify({ error: message, errors: [{ code, message }] });

const BOUNDARY = 'a-boundary';

/** A form with files, framed as curl and browsers do. */
export function aForm(
  ...parts: { field: string; file?: string | undefined; content: Uint8Array | string }[]
): {
  headers: { 'content-type': string };
  body: Buffer;
} {
  const framed = parts.flatMap(({ field, file, content }) => [
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"${file === undefined ? '' : `; filename="${file}"`}\r\n\r\n`,
    content,
    '\r\n',
  ]);
  const body = Buffer.concat([...framed, `--${BOUNDARY}--\r\n`].map((part) => Buffer.from(part)));
  return { headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }, body };
}

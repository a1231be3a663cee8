import { Fault } from '../shared/domain/fault.ts';
import { settings } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { bytes } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { SettingsStore } from '../shared/store/settings-store.ts';

/**
 * GET /{repository}/artifacthub-repo.yml: by this file Artifact Hub knows that the repository's owner is who
 * says so. Its tracker takes 404 for "not claimed", and everything else but 200 for an error.
 */
export function getArtifactHubFile({ settings }: { settings: Pick<SettingsStore, 'get'> }): Endpoint {
  return async (request) => {
    const { artifactHubRepositoryId: id = '' } = await settings.get(repositoryOf(request));
    if (id === '') throw new Fault('not_found', 'Artifact Hub repository ID not found');
    return bytes('application/x-yaml', Buffer.from(`repositoryID: ${id}\n`));
  };
}

export const handler = lambdaHandler('get-artifact-hub-file', (environment) =>
  getArtifactHubFile({ settings: settings(environment) }),
);

import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { parseRepositorySettings } from '../shared/domain/settings.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { pointers, settings, settingsOf } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { putSettings } from '../shared/repository-settings.ts';
import { parseKeyRing } from '../shared/signature.ts';
import { askForAsManyAsSet } from '../shared/versions-in-index.ts';

type Dependencies = Parameters<typeof putSettings>[0] & Parameters<typeof askForAsManyAsSet>[0];

/**
 * PUT /-/settings{repository}: a JSON object takes the place of what the repository said before. It holds for whatever
 * begins after the answer, but for the number of versions that the index lists: an index with that is asked for, and
 * nobody waits for it (docs/decisions/versions-in-index.md). A key ring is read, so that one that is of no use is refused
 * now.
 */
export function replaceSettings(dependencies: Dependencies): Endpoint {
  return async (request, caller) => {
    const repository = repositoryOf(request);
    const parsed = parseRepositorySettings(readJson(request, 'the settings'));
    if (parsed.keyRing) await parseKeyRing(parsed.keyRing);
    const before = await dependencies.settingsOf(repository);
    await putSettings(dependencies, repository, parsed, senderOf(request, caller));
    await askForAsManyAsSet(dependencies, repository, before);
    return json(200, parsed);
  };
}

export const handler = lambdaHandler('put-settings', (environment) =>
  replaceSettings({
    settings: settings(environment),
    settingsOf: settingsOf(environment),
    pointers: pointers(environment),
    objects: objects(environment),
    clock: systemClock,
    newId: randomUUID,
  }),
);

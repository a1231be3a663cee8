import { MOST_ANSWER_BYTES } from '../shared/answer-limit.ts';
import type { ChartFiles } from '../shared/domain/chart-package.ts';
import { type IndexSettings, renderEntry } from '../shared/domain/entry.ts';
import { shownLabel } from '../shared/domain/label.ts';
import { renderDetails } from '../shared/domain/project-charts.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { labels, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, pathParameter, repositoryOf } from '../shared/edge/request.ts';
import { jsonText } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { labelsOf } from '../shared/labels.ts';
import { readDetails } from '../shared/read-charts.ts';
import type { LabelStore } from '../shared/store/label-store.ts';
import type { ObjectStore } from '../shared/store/object-store.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'get'>;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly labels: Pick<LabelStore, 'in'>;
  readonly settings: IndexSettings;
};

/** GET /api/chartrepo/{project}/charts/{name}/{version}: all that Harbor shows of one version, which is named. */
export function getProjectVersion({ versions, objects, labels, settings }: Dependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const wanted = pathParameter(request, 'version');
    const found = await readDetails({ versions, objects }, repository, chartNameOf(request), wanted);
    const ofVersion = await labelsOf({ labels }, repository, [found]);
    const details = {
      entry: renderEntry(found, settings, repository),
      values: found.files.values?.parsed,
      files: textsOf(found.files),
      signed: found.signed,
      labels: [...ofVersion.values()].flat().map(shownLabel),
    };
    return jsonText(200, renderDetails(details, MOST_ANSWER_BYTES));
  };
}

/** The files that Harbor shows, under its names for them. */
const textsOf = ({ values, readme }: ChartFiles) => ({
  ...(values && { 'values.yaml': textOf(values.text) }),
  ...(readme !== undefined && { 'README.md': textOf(readme) }),
});

const textOf = (base64: string) => Buffer.from(base64, 'base64').toString();

export const handler = lambdaHandler('get-project-version', (environment) =>
  getProjectVersion({
    versions: versions(environment),
    objects: objects(environment),
    labels: labels(environment),
    settings: environment.indexSettings,
  }),
);

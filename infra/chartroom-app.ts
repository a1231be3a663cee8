import { App, type AppProps } from 'aws-cdk-lib';
import { IAM_MINIMIZE_POLICIES } from 'aws-cdk-lib/cx-api';
import { ChartroomStack } from './chartroom-stack.ts';
import { parseSettings } from './settings.ts';

export type ChartroomAppProps = Pick<AppProps, 'context' | 'outdir'> & {
  /** Folder of the bundles. @default dist/functions */
  readonly bundles?: string;
  /** Where the deployment goes. @default nobody knows yet */
  readonly region?: string | undefined;
};

/**
 * The CDK app with its one stack, as the settings in its context ask.
 *
 * Feature flags stand here and not in cdk.json, so that the template is the same whether or not the CDK's
 * command line runs this.
 *
 * @throws SettingsError when a setting cannot be used
 */
export function chartroomApp({ bundles, context, region, ...props }: ChartroomAppProps = {}): App {
  const app = new App({
    ...props,
    // Who calls this synthesizes: at the end of the process the CDK would do it once more, after settings that were refused too.
    autoSynth: false,
    // Written where it is slow, to a path that is right in the folder of cdk.json alone, where a deployment may have one of its own.
    performanceReporting: false,
    context: { [IAM_MINIMIZE_POLICIES]: true, ...context },
  });
  const keys = Object.keys(app.node.getAllContext() as Record<string, unknown>);
  const settings = parseSettings((key): unknown => app.node.tryGetContext(key), keys, region);
  new ChartroomStack(app, settings.stackName, { settings, ...(bundles === undefined ? {} : { bundles }) });
  return app;
}

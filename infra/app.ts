import { SettingsError } from '../shared/domain/settings.ts';
import { bundleFunctions } from './bundle.ts';
import { chartroomApp } from './chartroom-app.ts';

/** What `cdk` runs: bundles the functions, then writes the template. */
try {
  bundleFunctions();
  // The CDK's command line tells the first, by the environment or the profile that it deploys with.
  const region = process.env['CDK_DEFAULT_REGION'] ?? process.env['AWS_REGION'];
  chartroomApp({ region }).synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  // The message says it all; where in our code it arose helps nobody.
  console.error(error.message);
  process.exitCode = 1;
}

import { SettingsError } from '../shared/domain/settings.ts';
import { bundleFunctions } from './bundle.ts';
import { chartroomApp } from './chartroom-app.ts';

/** What `cdk` runs: bundles the functions, then writes the template. */
try {
  bundleFunctions();
  chartroomApp().synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  // The message says it all; where in our code it arose helps nobody.
  console.error(error.message);
  process.exitCode = 1;
}

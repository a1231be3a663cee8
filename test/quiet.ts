const write = process.stdout.write;

/** What the handlers log of what they do would bury the tests' own words; what failed is shown. */
const quietly: typeof write = (...parts: unknown[]) =>
  String(parts[0]).startsWith('{"level":"INFO"') || Reflect.apply(write, process.stdout, parts);

// Once for a process: it runs many files.
if (write.name !== quietly.name) process.stdout.write = quietly;

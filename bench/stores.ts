import { startLocal } from '../local/stack.ts';

/** Runs a local stack as long as the process that forked this one wants it, and tells it where the stores are. */
const stack = await startLocal();
const { clientConfig, tableName, bucketName } = stack;
process.on('disconnect', () => stack.stop().then(() => process.exit()));
process.send?.({ clientConfig, tableName, bucketName });

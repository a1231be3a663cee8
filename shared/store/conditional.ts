import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/**
 * Waits for a conditional write.
 *
 * @returns false if its condition did not hold; every other error is thrown on
 */
export async function applied(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/**
 * The ExpressionAttributeNames of expressions in which every name is written `#name`: DynamoDB reserves
 * some 570 words (`key`, `size` and `expires` are three of them), and refuses a name that is listed but not used.
 */
export function namesIn(...expressions: readonly string[]): Record<string, string> {
  const placeholders = expressions.join(' ').matchAll(/#(\w+)/g);
  return Object.fromEntries([...placeholders].map(([placeholder, name = '']) => [placeholder, name]));
}

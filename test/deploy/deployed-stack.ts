import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, vi } from 'vitest';
import type { Stack } from '../whole/chartroom.ts';
import { startCloud } from './cloud.ts';

type DeployOptions = {
  /** Folder of an assembly. */
  readonly assembly: string;
  /** @default the one that the deployment made */
  readonly adminPassword: string | undefined;
};

/** Deploys an assembly, as `cdk deploy` does, to a cloud of its own. The caller stops both. */
export async function deployStack({ assembly, adminPassword }: DeployOptions): Promise<Stack> {
  const cloud = await startCloud();
  try {
    // Of the assembly: the CDK would synthesize the stack otherwise, to learn where it goes.
    await cloud.cdk('bootstrap', '--app', assembly);
    const outputs = await cloud.deploy('--app', assembly);
    const { ApiUrl = '', TableName: tableName = '', BucketName: bucketName = '', AdminSecretArn } = outputs;
    const { region, credentials } = cloud;
    const endpoints = { s3: cloud.url, dynamodb: cloud.url, secretsManager: cloud.url };
    const clientConfig = { region, credentials, endpoints };
    const url = cloud.addressOf(ApiUrl);
    if (AdminSecretArn !== undefined && adminPassword !== undefined) {
      const client = new SecretsManagerClient({ region, credentials, endpoint: endpoints.secretsManager });
      const held = await client.send(new GetSecretValueCommand({ SecretId: AdminSecretArn }));
      const { password } = JSON.parse(held.SecretString ?? '') as { password: string };
      await changePassword(url, password, adminPassword);
    }
    return {
      url,
      tableName,
      bucketName,
      clientConfig,
      async invoke(functionName, payload) {
        const names = (await cloud.aws(
          ...['lambda', 'list-functions', '--query', 'Functions[].FunctionName'],
        )) as string[];
        const part = `-${functionName.replaceAll('-', '')}Function`;
        const [found] = names.filter((name) => name.includes(part));
        if (found === undefined) throw new Error(`there is no function ${functionName}`);
        return await cloud.invoke(found, payload);
      },
      idle: () =>
        vi.waitFor(async () => expect(await cloud.messages()).toEqual([0, 0]), {
          timeout: 60_000,
          interval: 500,
        }),
      stop: cloud.stop,
    };
  } catch (error) {
    await cloud.stop();
    throw error;
  }
}

async function changePassword(url: string, from: string, to: string): Promise<void> {
  const admin = { kind: 'user', password: to, grants: [{ role: 'admin', on: '*' }] };
  const headers = { authorization: `Basic ${btoa(`admin:${from}`)}` };
  const answer = await fetch(`${url}/-/accounts/admin`, {
    method: 'PUT',
    headers,
    body: JSON.stringify(admin),
  });
  if (answer.status !== 200)
    throw new Error(`the password of admin: ${answer.status} ${await answer.text()}`);
}

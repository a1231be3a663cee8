import { type Figure, hold, spread, timed } from './figures.ts';
import { publish, publishable } from './repository.ts';
import type { StackProcess } from './stack-process.ts';

/** What is asked again and again: the index by each of its answers, and a package. */
export async function readFigures({ url }: StackProcess, runs: number): Promise<readonly Figure[]> {
  const demo = await publishable('reads', '1.0.0');
  await publish(url, demo);
  await publish(url, await publishable('reads', '1.0.1'));
  const large = `${url}/index.yaml`;
  const file = `${url}/charts/${demo.file}`;
  const small = `${url}/small`;
  const answer = await fetch(`${url}/api/small/charts`, { method: 'POST', body: demo.body });
  hold('a small repository has a chart', answer.status === 201);

  const ask = async (address: string, status: number, headers = {}) => {
    const given = await fetch(address, {
      redirect: 'manual',
      headers: { 'accept-encoding': 'identity', ...headers },
    });
    await given.arrayBuffer();
    hold(`${address} is answered ${status}, not ${given.status}`, given.status === status);
    return given;
  };
  const asked = async (name: string, work: () => Promise<unknown>) => {
    await timed(10, async () => void (await work()));
    return spread(name, 'ms', await timed(runs, async () => void (await work())));
  };
  const etag = (await ask(large, 302)).headers.get('etag') ?? '';
  return [
    ...(await asked('index, 304', () => ask(large, 304, { 'if-none-match': etag }))),
    ...(await asked('index, redirect', () => ask(large, 302))),
    ...(await asked('index of a small repository, inline', () => ask(`${small}/index.yaml`, 200))),
    ...(await asked('package, redirect', () => ask(file, 302))),
  ];
}

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../shared/domain/digest.ts';
import { aPackage, aProvenance } from '../packages.ts';
import type { Random } from '../random.ts';
import { Violation } from './ledger.ts';
import { below, partsOf, repositories, versionId, type World } from './world.ts';

type Upload = { readonly id: string; readonly bytes: Buffer; readonly provenance: Buffer | undefined };

let made = 0;

/** A package with bytes that no other has; now and then a large one, so that kills meet writes of it. */
async function anUpload(world: World, random: Random, id: string): Promise<Upload> {
  const { name, version } = partsOf(id);
  made += 1;
  const padding = random.chance(0.1) ? randomBytes(random.below(500_000)).toString('base64') : '';
  const files = { 'values.yaml': `made: ${made}\n`, 'files/padding': padding };
  const bytes = await aPackage({ name, version, description: `number ${made}`, files });
  const provenance = random.chance(0.3) ? aProvenance(bytes, { name, version }) : undefined;
  if (provenance !== undefined) world.provenance.set(digestOf(bytes), provenance);
  return { id, bytes, provenance };
}

function bodyOf({ bytes, provenance }: Upload): Buffer | FormData {
  if (provenance === undefined) return bytes;
  const form = new FormData();
  form.append('chart', new Blob([new Uint8Array(bytes)]), 'package.tgz');
  form.append('prov', new Blob([new Uint8Array(provenance)]), 'package.tgz.prov');
  return form;
}

/** @returns whether it was cut off, so that its end is not known */
async function publish(world: World, upload: Upload, force: boolean): Promise<boolean> {
  const { ledger, figures } = world;
  const { id, bytes } = upload;
  const digest = digestOf(bytes);
  const change = ledger.begin(id, force ? 'overwrite' : 'publish', digest, performance.now());
  const path = `/api${below(partsOf(id).repository)}/charts${force ? '?force' : ''}`;
  const answer = await world.send('POST', path, bodyOf(upload));
  if (answer === 'unsent') {
    change.refused();
    return false;
  }
  if (answer === undefined) {
    change.cutOff(Number.POSITIVE_INFINITY); // what it reserved and put may be committed later
    figures.cutOff += 1;
    return true;
  }
  if (answer.status === 201) {
    world.acknowledged();
    change.acknowledged(answer.span.end);
    figures[force ? 'overwritten' : 'published'] += 1;
    return false;
  }
  const text = answer.body.toString();
  if (answer.status !== 409) throw new Violation(`a publish of ${id} was answered ${answer.status} ${text}`);
  figures.refused += 1;
  // With the same bytes, an earlier upload of them may have been finished by this one.
  if (text.includes('with the same bytes')) ledger.observe(id, digest, answer.span, `the answer ${text}`);
  change.refused();
  if (text.includes('with other bytes')) {
    const others = ledger.contents(id, answer.span).filter((content) => content !== undefined);
    if (others.length === 0) throw ledger.violation(id, `a publish was answered ${text}`);
  }
  return false;
}

/** Publishes one thing after the other: new versions, competing ones, overwrites; repeats what was cut off. */
export async function publisher(world: World, part: number): Promise<void> {
  let count = 0;
  await world.repeat(part, async (random) => {
    const repository = random.pick(repositories);
    const force = random.chance(0.2);
    count += 1;
    const fresh = versionId(repository, `chart${random.below(6)}`, `1.${part}.${count}`);
    const id = force ? (random.pickAny(world.ledger.versions) ?? fresh) : fresh;
    const howMany = random.chance(0.15) ? 2 + random.below(3) : 1;
    const uploads = await Promise.all(Array.from({ length: howMany }, () => anUpload(world, random, id)));
    await Promise.all(
      uploads.map(async (upload) => {
        const wasCutOff = await publish(world, upload, force);
        if (!wasCutOff || random.chance(0.5)) return;
        await Promise.race([world.runner.up(), world.ended]);
        if (!world.over) await publish(world, upload, force);
      }),
    );
    await sleep(random.below(120));
  });
}

export async function deleter(world: World, part: number): Promise<void> {
  await world.repeat(part, async (random) => {
    await sleep(random.below(300));
    const id = random.pickAny(world.ledger.versions);
    if (id !== undefined) await remove(world, id);
  });
}

async function remove(world: World, id: string): Promise<void> {
  const { ledger, figures } = world;
  const { repository, name, version } = partsOf(id);
  const change = ledger.begin(id, 'delete', undefined, performance.now());
  const answer = await world.send('DELETE', `/api${below(repository)}/charts/${name}/${version}`);
  if (answer === 'unsent') return change.refused();
  if (answer === undefined) {
    figures.cutOff += 1;
    return change.cutOff(performance.now()); // the runner is dead, and nobody goes on with a delete
  }
  if (answer.status === 200) {
    world.acknowledged();
    figures.deleted += 1;
    return change.acknowledged(answer.span.end);
  }
  if (answer.status !== 404)
    throw new Violation(`a delete of ${id} was answered ${answer.status} ${answer.body}`);
  change.refused();
  ledger.observe(id, undefined, answer.span, 'the answer 404 to a delete');
}

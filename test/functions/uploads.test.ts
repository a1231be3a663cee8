import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../shared/domain/repository.ts';
import { publishFromInbox } from '../../shared/inbox.ts';
import { aPackage } from '../packages.ts';
import { root } from '../use-cases/world.ts';
import { aChartroom, refusal } from './chartroom.ts';

describe('POST /api/{repository}/uploads', () => {
  it('answers a form for one object of at most the largest size, and the curl command that sends it', async () => {
    const chartroom = aChartroom();
    const answer = await chartroom.send('POST', '/api/org/uploads');
    expect(answer).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
    const { id, curl, ...rest } = JSON.parse(answer.body);
    const fields = { key: `inbox/org/-/${id}.tgz`, 'most-bytes': '20971520' };
    expect(rest).toEqual({
      url: 'https://bucket.invalid/',
      fields,
      expires: '2026-01-02T03:19:05.678Z',
      maxBytes: 20_971_520,
    });
    expect(curl).toBe(
      `curl --fail-with-body -F 'key=${fields.key}' -F 'most-bytes=20971520' -F 'file=@chart.tgz' 'https://bucket.invalid/'`,
    );
    expect(JSON.parse((await chartroom.send('GET', `/api/org/uploads/${id}`)).body)).toEqual({
      id,
      created: '2026-01-02T03:04:05.678Z',
      expires: '2026-01-02T03:19:05.678Z',
      state: 'waiting',
    });
  });
});

describe('GET /api/{repository}/uploads/{id}', () => {
  async function uploaded(bytes: Uint8Array, query = '') {
    const chartroom = aChartroom();
    const { id, fields } = JSON.parse((await chartroom.send('POST', `/api/uploads${query}`)).body);
    await chartroom.objects.put(fields.key, bytes, { contentType: 'application/octet-stream' });
    await publishFromInbox(chartroom, root, fields.key);
    return JSON.parse((await chartroom.send('GET', `/api/uploads/${id}`)).body);
  }

  it('tells what was published', async () => {
    expect(await uploaded(await aPackage())).toMatchObject({
      state: 'published',
      name: 'demo',
      version: '1.0.0',
    });
  });

  it('tells of a rejected one what a direct upload would have been answered', async () => {
    const chartroom = aChartroom();
    const body = Buffer.from('no package');
    const headers = { 'content-type': 'application/octet-stream' };
    const direct = await chartroom.send('POST', '/api/charts', { headers, body });
    const { id: _id, created: _created, ...told } = await uploaded(body);
    expect(told).toEqual({ state: 'rejected', status: direct.status, ...JSON.parse(direct.body) });
  });

  it.each([
    { again: 'made again', state: 'rejected', charts: 0 },
    { again: 'brought back', state: 'published', charts: 1 },
  ])(
    'tells that it was $state where its project was deleted and $again',
    async ({ again, state, charts }) => {
      const chartroom = aChartroom();
      const projects = '/api/v2.0/projects';
      const project = { body: JSON.stringify({ project_name: 'org' }) };
      expect((await chartroom.send('POST', projects, project)).status).toBe(201);
      const { id, fields } = JSON.parse((await chartroom.send('POST', '/api/org/uploads')).body);
      chartroom.clock.advance(1000);
      expect((await chartroom.send('DELETE', `${projects}/org`)).status).toBe(200);
      const restore = { body: JSON.stringify({ restore: true }) };
      const answer =
        again === 'made again'
          ? await chartroom.send('POST', projects, project)
          : await chartroom.send('PUT', '/-/repositories/org', restore);
      expect(answer.status).toBeLessThan(300);
      await chartroom.objects.put(fields.key, await aPackage(), { contentType: 'application/octet-stream' });
      await publishFromInbox(chartroom, parseRepository(['org']), fields.key);
      const told = JSON.parse((await chartroom.send('GET', `/api/org/uploads/${id}`)).body);
      expect(told).toMatchObject({ state });
      expect(told).not.toHaveProperty('repositoryCreated');
      if (state === 'rejected') {
        expect(told).toMatchObject({ status: 409, error: expect.stringContaining('was deleted after') });
      }
      const { body } = await chartroom.send('GET', `${projects}/org`);
      expect(JSON.parse(body).chart_count).toBe(charts);
    },
  );

  it.each([
    {
      id: 'nothing',
      status: 404,
      code: 'NOT_FOUND',
      message:
        'there is no upload nothing, nor was an object of that name seen in the inbox: ask for one by POST …/uploads',
    },
    {
      id: '-x',
      status: 400,
      code: 'BAD_REQUEST',
      message: '"-x" is no upload: POST …/uploads gives its name',
    },
  ])('answers $status for $id', async ({ id, status, code, message }) => {
    const answer = await aChartroom().send('GET', `/api/uploads/${id}`);
    expect(answer).toMatchObject({ status, body: refusal(code, message) });
  });
});

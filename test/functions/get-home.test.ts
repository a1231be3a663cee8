import { describe, expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { anAccessChange } from '../store/records.ts';
import { root } from '../use-cases/world.ts';
import { aChartroom, adminPassword, basic, publish, readHeaders } from './chartroom.ts';

describe('GET / and /charts', () => {
  it.each(['/', '/charts'])('answers %s with a page that loads nothing and runs nothing', async (path) => {
    const { status, headers, body } = await aChartroom().send('GET', path);
    expect({ status, headers }).toEqual({
      status: 200,
      headers: {
        ...readHeaders,
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      },
    });
    expect(body).toContain('None yet in the root repository.');
    expect(body).not.toMatch(/<script|<img|<link|src=|@import|url\(/);
  });

  it('answers HEAD with the length of the page', async () => {
    const { body } = await aChartroom().send('GET', '/');
    const { status, headers, body: none } = await aChartroom().send('HEAD', '/');
    expect([status, headers['content-length'], none]).toEqual([200, String(Buffer.byteLength(body)), '']);
  });

  it('links the packages of the root repository, newest version first, and of no other', async () => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage({ name: 'redis', version: '1.0.0' }));
    await publish(chartroom, await aPackage({ name: 'redis', version: '1.1.0+b' }));
    await publish(chartroom, await aPackage({ name: 'nginx', version: '1.0.0' }), '/api/acme/charts');
    const { body } = await chartroom.send('GET', '/');
    expect(body).toContain(
      '<li><strong>redis</strong> <a href="/charts/redis-1.1.0%2Bb.tgz">1.1.0+b</a> <a href="/charts/redis-1.0.0.tgz">1.0.0</a></li>',
    );
    expect(body).not.toContain('nginx');
    expect((await chartroom.send('GET', '/charts/redis-1.1.0%2Bb.tgz')).status).toBe(302);
  });

  it('shows the newest five versions of a chart, and how many there are besides', async () => {
    const chartroom = aChartroom();
    for (let minor = 0; minor < 7; minor += 1) {
      await publish(chartroom, await aPackage({ name: 'redis', version: `1.${minor}.0` }));
    }
    const { body } = await chartroom.send('GET', '/');
    expect(body.match(/redis-1\.\d\.0/g)).toEqual([6, 5, 4, 3, 2].map((minor) => `redis-1.${minor}.0`));
    expect(body).toContain('and 2 older');
  });

  it.each([
    {
      why: 'behind TLS',
      headers: { host: 'h.example.org', 'x-forwarded-proto': 'https' },
      url: 'https://h.example.org',
    },
    {
      why: 'on a port',
      headers: { host: 'localhost:8080', 'x-forwarded-proto': 'http' },
      url: 'http://localhost:8080',
    },
    {
      why: 'by an IPv6 address',
      headers: { host: '[::1]:8080', 'x-forwarded-proto': 'http' },
      url: 'http://[::1]:8080',
    },
    { why: 'with an attack as host', headers: { host: 'x"$(reboot)<b>' }, url: 'https://charts.example.com' },
  ])('shows commands with the address it was reached at, $why', async ({ headers, url }) => {
    const { body } = await aChartroom().send('GET', '/', { headers });
    expect(body).toContain(`helm repo add chartroom ${url}\n`);
    expect(body).toContain(`curl --data-binary &#34;@mychart-0.1.0.tgz&#34; ${url}/api/charts\n`);
  });

  it('puts the context path before what it links and shows', async () => {
    const chartroom = aChartroom({ settings: { contextPath: '/helm' } });
    await publish(chartroom, await aPackage({ name: 'redis' }));
    const { body } = await chartroom.send('GET', '/');
    expect(body).toContain('helm repo add chartroom https://charts.example.org/helm\n');
    expect(body).toContain('href="/helm/charts/redis-1.0.0.tgz"');
  });

  it('shows where the password goes when access is closed', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    const { body } = await chartroom.send('GET', '/', { headers: basic('admin', adminPassword) });
    expect(body).toContain(' --username admin --password PASSWORD\n');
    expect(body).toContain('curl --user admin:PASSWORD ');
  });

  it('shows that publishing needs an account where everybody may read', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    await chartroom.repositorySettings.put(root, { anonymousRead: true }, anAccessChange());
    const { body } = await chartroom.send('GET', '/');
    expect(body).toContain('helm repo add chartroom https://charts.example.org\n');
    expect(body).toContain('curl --user USER:PASSWORD ');
  });

  it('ends a long list with a link to all charts', async () => {
    const chartroom = aChartroom();
    for (let number = 0; number < 201; number += 1) await chartroom.publish(`chart${number}`, '1.0.0');
    const { body } = await chartroom.send('GET', '/');
    expect(body.match(/<li>/g)).toHaveLength(200);
    expect(body).toContain('<p>These are the first 200: <a href="/api/charts">all charts as JSON</a>.</p>');
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/log.ts';
import { ALL_SCOPES, makeWebFolder, registerPlatform } from '../support/registered.ts';
import { startService, type TestService } from '../support/service.ts';
import {
  LaunchClient,
  MEMBERSHIP,
  TestPlatform,
  type PlatformUser,
  noComplaints,
} from '../support/platform.ts';

const ROLES = 'https://purl.imsglobal.org/spec/lti/claim/roles';
const DL = 'https://purl.imsglobal.org/spec/lti-dl/claim/';
const INSTRUCTOR: PlatformUser = { sub: 'instructor', name: '李老师' };

describe('deep links', () => {
  let service: TestService;
  let platform: TestPlatform;
  let web: Awaited<ReturnType<typeof makeWebFolder>>;
  const reasons: string[] = [];
  const keep = (about: unknown): void => {
    const reason = (about as { reason?: string }).reason;
    if (reason !== undefined) reasons.push(reason);
  };
  const log: Log = { debug: () => {}, info: keep, warn: () => {}, error: () => {} };

  beforeAll(async () => {
    [platform, web] = await Promise.all([TestPlatform.start(), makeWebFolder()]);
    service = await startService({
      log,
      webFolder: web.folder,
      env: { OUTBOUND_ALLOW: 'localhost,127.0.0.1' },
    });
    await registerPlatform(service, platform, { scopes: ALL_SCOPES });
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([platform.stop(), web.remove()]);
    noComplaints(platform);
  });

  /** What the platform sends, and what comes of it. */
  const choose = async (
    settings: Readonly<Record<string, unknown>> = {},
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<{ status: number; html: string; code: string; response: Response }> => {
    const response = await new LaunchClient(service.app.publicUrl).open(
      platform,
      'xinqiao',
      INSTRUCTOR,
      { id: 'unused' },
      { alter: (claims) => ({ ...platform.choosing(claims, settings), ...more }) },
    );
    const html = await response.text();
    return {
      status: response.status,
      html,
      code: /name="code" value="([^"]+)"/.exec(html)?.[1] ?? '',
      response,
    };
  };
  const answer = async (
    code: string,
    items: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> =>
    fetch(`${service.app.publicUrl}/lti/selection`, {
      method: 'POST',
      body: new URLSearchParams([
        ['code', code],
        ['language', 'zh-CN'],
        ...items.map((item) => ['item', item]),
        ...Object.entries(more),
      ]),
    });
  /** As the browser does it, without asking. */
  const post = async (html: string): Promise<Response> =>
    fetch(/action="([^"]+)"/.exec(html)![1]!.replaceAll('&amp;', '&'), {
      method: 'POST',
      body: new URLSearchParams({ JWT: /name="JWT" value="([^"]+)"/.exec(html)![1]! }),
    });
  const modules = async (): Promise<{ key: string; activities: { key: string }[] }[]> =>
    (await service.app.services.courses.findCurrent(service.app.db, 'core-gatekeeper'))!.manifest.modules;

  it('of several courses and modules come back signed, with line items, parameters and the platform’s own data', async () => {
    const { status, html, code, response } = await choose();
    expect(status).toBe(200);
    expect(html).toContain('value="core-gatekeeper"');
    expect(html).toContain('type="checkbox" name="item"');
    expect(response.headers.get('content-security-policy')).toContain(`frame-ancestors ${platform.issuer}`);
    const [module] = await modules();
    const answered = await answer(code, ['core-gatekeeper', `core-gatekeeper/${module!.key}`], {
      columns: 'modules',
    });
    expect(answered.status).toBe(200);
    expect(answered.headers.get('content-security-policy')).toContain(`form-action ${platform.issuer}`);
    expect((await post(await answered.text())).status).toBe(200);
    const said = platform.services.selections.at(-1)!;
    expect(said[`${DL}data`]).toBe('csrftoken:c7fbba78');
    expect(said[`${DL}content_items`]).toMatchObject([
      {
        type: 'ltiResourceLink',
        url: `${service.app.publicUrl}/lti/launch`,
        custom: { xinqiao_course: 'core-gatekeeper', xinqiao_columns: 'modules' },
        lineItem: { scoreMaximum: 100, resourceId: 'core-gatekeeper', tag: 'course' },
      },
      {
        type: 'ltiResourceLink',
        custom: {
          xinqiao_course: 'core-gatekeeper',
          xinqiao_module: module!.key,
          xinqiao_activity: module!.activities[0]!.key,
        },
        lineItem: { resourceId: `core-gatekeeper/${module!.key}`, tag: 'module' },
      },
    ]);
  });

  it('are answered once, and by nobody who has not the code', async () => {
    const { code } = await choose();
    expect((await answer(code, ['core-gatekeeper'])).status).toBe(200);
    for (const wrong of [code, '', 'x'.repeat(43)]) {
      expect((await answer(wrong, ['core-gatekeeper'])).status).toBe(400);
      expect(reasons.at(-1)).toBe('selection-over');
    }
  });

  it('may be none, and only one where the platform takes no more; and bring no line items where it wants none', async () => {
    const none = await choose();
    await post(await (await answer(none.code, ['core-gatekeeper'], { none: '1' })).text());
    expect(platform.services.selections.at(-1)![`${DL}content_items`]).toEqual([]);
    const one = await choose({ accept_multiple: undefined, accept_lineitem: false, data: undefined });
    expect(one.html).toContain('type="radio" name="item"');
    expect(one.html).not.toContain('name="columns"');
    await post(await (await answer(one.code, ['core-gatekeeper'], { columns: 'modules' })).text());
    const said = platform.services.selections.at(-1)!;
    expect(said).not.toHaveProperty([`${DL}data`]);
    const [item] = said[`${DL}content_items`] as Record<string, unknown>[];
    expect(item).not.toHaveProperty('lineItem');
    expect(item!['custom']).not.toHaveProperty('xinqiao_columns');
  });

  it('are refused for whatever is not there, too much, or not asked for', async () => {
    for (const [items, settings] of [
      [['no-such-course'], {}],
      [['core-gatekeeper/no-such-module'], {}],
      [['../etc'], {}],
      [Array.from({ length: 51 }, (_, at) => `course-${at}`), {}],
      [['core-gatekeeper', 'core-gatekeeper/x'], { accept_multiple: false }],
    ] as const) {
      const { code } = await choose(settings);
      expect((await answer(code, items)).status).toBe(400);
      expect(reasons.at(-1)).toBe('choice-wrong');
    }
  });

  it('go back to the platform and nowhere else, whatever its message says', async () => {
    for (const [settings, more, reason] of [
      [{ deep_link_return_url: 'https://evil.example/deep-link' }, {}, 'return-foreign'],
      [{ deep_link_return_url: `${platform.issuer}.evil.example/` }, {}, 'return-foreign'],
      [{ deep_link_return_url: 'javascript:alert(1)' }, {}, 'return-foreign'],
      [{ deep_link_return_url: platform.issuer.replace('http:', 'https:') }, {}, 'return-foreign'],
      [{ deep_link_return_url: undefined }, {}, 'return-missing'],
      [{ accept_types: ['link', 'html'] }, {}, 'types-refused'],
      [{ data: { not: 'text' } }, {}, 'data-wrong'],
      [{}, { [ROLES]: [`${MEMBERSHIP}#Learner`] }, 'role-chooses-nothing'],
      [{}, { [`${DL}deep_linking_settings`]: undefined }, 'settings-missing'],
      [{}, { 'https://purl.imsglobal.org/spec/lti/claim/deployment_id': 'other' }, 'deployment-unknown'],
    ] as const) {
      const { status, code } = await choose(settings, more);
      expect([reason, status >= 400, code]).toEqual([reason, true, '']);
      expect(reasons.at(-1)).toBe(reason);
    }
  });
});

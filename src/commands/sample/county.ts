import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../app.ts';
import { addDays, chinaDay, systemClock } from '../../clock.ts';
import { fileOf } from '../../people/roster/upload.ts';
import { forViewer } from '../../people/acting.ts';
import type { Viewer } from '../../people/permission.ts';
import { makeSampleService, type SampleService, type SampleStaff } from '../../access/sample.service.ts';
import { writeRoster } from './roster.ts';

/** 长沙县, in 湖南: the sample county. */
export const SAMPLE_COUNTY = '430121';
const SEED = 7;
/** The roster is drawn as of a fixed day, so that it is the same sample whenever it is made. */
export const ROSTER_DAY = '2026-09-01';

export const sampleStaff: readonly SampleStaff[] = [
  {
    key: 'coordinator',
    name: '林静',
    role: 'coordinator',
    divisionCode: SAMPLE_COUNTY,
    descriptionZh: '县教育局培训管理员',
    descriptionEn: 'training coordinator of the county',
  },
  {
    key: 'hr',
    name: '赵明',
    role: 'hr_verifier',
    divisionCode: SAMPLE_COUNTY,
    descriptionZh: '县人事部门，核验证书',
    descriptionEn: 'HR of the county, verifies certificates',
  },
  {
    key: 'issuer',
    name: '周岚',
    role: 'issuer',
    divisionCode: SAMPLE_COUNTY,
    descriptionZh: '发证管理员，可撤销证书，可申请或审核认定',
    descriptionEn: 'issuer, may revoke certificates and ask for or approve what was earned elsewhere',
  },
  {
    key: 'issuer-2',
    name: '陈立',
    role: 'issuer',
    divisionCode: SAMPLE_COUNTY,
    descriptionZh: '另一位发证管理员，审核第一位的申请',
    descriptionEn: 'another issuer, decides what the first one asks for',
  },
  {
    key: 'operator',
    name: '何伟',
    role: 'operator',
    divisionCode: SAMPLE_COUNTY,
    descriptionZh: '县级运维管理员，授予和终止角色',
    descriptionEn: 'operator of the county, gives roles and ends them',
  },
  {
    key: 'auditor',
    name: '何敏',
    role: 'auditor',
    divisionCode: SAMPLE_COUNTY,
    descriptionZh: '审计人员，查阅审计日志',
    descriptionEn: 'auditor of the county, reads the journal',
  },
];

export const sampleCertification = {
  code: 'gatekeeper-2026',
  title: { 'zh-CN': '学生心理健康守门人', en: 'Gatekeeper for Students’ Mental Health' },
  courseSlug: 'core-gatekeeper',
  roles: ['class_teacher', 'young_pioneers_leader', 'college_counselor', 'graduate_tutor'],
  validityMonths: 36,
  renewalMonths: 6,
  divisionCode: SAMPLE_COUNTY,
  issuerName: '长沙县教育局',
  // Whoever tries the sample should see a certificate today, and does in minutes what takes a teacher two hours.
  minimumHoursShare: 0,
} as const;

/** The files of the sample roster: manifest.csv, orgs.csv, users.csv. */
export async function sampleRosterFiles(): Promise<{ name: string; bytes: Buffer }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'xinqiao-sample-'));
  try {
    await writeRoster(
      { seed: SEED, scope: { kind: 'county', code: SAMPLE_COUNTY }, today: ROSTER_DAY },
      folder,
    );
    return await Promise.all(
      ['manifest.csv', 'orgs.csv', 'users.csv'].map(async (name) => ({
        name,
        bytes: await readFile(join(folder, name)),
      })),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The people of a county's offices, each with a way in. No roster brings them. */
export async function ensureSampleStaff(app: App): Promise<void> {
  await makeSampleService({ db: app.db, clock: systemClock, people: app.services.people }).ensureStaff(
    sampleStaff,
  );
}

/**
 * Brings the sample county up by the same steps a coordinator takes: import, plan, assign. Each step looks whether it was done,
 * so that a start that was cut off goes on where it stopped. The staff are there before.
 */
export async function ensureSampleCounty(app: App): Promise<void> {
  const { services } = app;
  const samples = makeSampleService({ db: app.db, clock: systemClock, people: app.services.people });
  const keys = new Set((await services.sessions.listSampleSignIns()).map((signIn) => signIn.key));
  if (keys.has('teacher')) return;

  const coordinator = (await services.sessions.viewer('sample:coordinator'))!;
  await forViewer(coordinator, async () => bringUp(app, coordinator, samples));
}

async function bringUp(app: App, coordinator: Viewer, samples: SampleService): Promise<void> {
  const { services } = app;
  await importRoster(app, coordinator);
  const known = await services.programmes.listForViewer(coordinator, { after: undefined, limit: 10 });
  const certification =
    known.find((each) => each.code === sampleCertification.code) ??
    (await services.programmes.plan(coordinator, sampleCertification));
  const unit = { kind: 'division', code: SAMPLE_COUNTY } as const;
  const dueOn = addDays(chinaDay(systemClock.now()), 120);
  for (const role of sampleCertification.roles)
    await services.programmes.assignCohort(coordinator, {
      certificationId: certification.id,
      unit,
      role,
      dueOn,
      name: null,
    });
  const [first, second] = await services.people.listHolders(
    unit,
    'class_teacher',
    chinaDay(systemClock.now()),
  );
  if (second !== undefined)
    await samples.addSignIn({
      key: 'teacher-2',
      personId: second,
      descriptionZh: '另一位班主任',
      descriptionEn: 'another class teacher',
      position: 2,
    });
  // Last: its being there says that the county is complete.
  if (first !== undefined)
    await samples.addSignIn({
      key: 'teacher',
      personId: first,
      descriptionZh: '班主任，已分配课程',
      descriptionEn: 'class teacher with a course assigned',
      position: 1,
    });
}

async function importRoster(app: App, coordinator: Viewer): Promise<void> {
  const { roster } = app.services;
  const requested = await roster.request(coordinator, {
    divisionCode: SAMPLE_COUNTY,
    source: null,
    files: (await sampleRosterFiles()).map(fileOf),
  });
  for (;;) {
    const current = await roster.find(coordinator, requested.id);
    if (current?.state === 'applied') return;
    if (current?.state === 'refused')
      throw new Error(`The sample roster was refused: ${current.reason?.en ?? ''}`);
    await sleep(30);
  }
}

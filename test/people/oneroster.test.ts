import { describe, expect, it } from 'vitest';
import { UnreadableFile } from '../../src/people/roster/said.ts';
import { readOneRoster } from '../support/roster.ts';
import { smallRoster } from '../support/service.ts';

const file = (name: string, text: string | Buffer) => ({ name, bytes: Buffer.from(text) });
const wang = { id: 't1', family: '王', given: '小明' };

describe('reading OneRoster CSV', () => {
  it('reads organizations, people and dated posts', async () => {
    const roster = await readOneRoster(
      smallRoster([
        {
          ...wang,
          roles: 'class_teacher,young_pioneers_leader',
          orgs: 's1,s1',
          starts: '2023-09-01,2024-09-01',
          ends: '2024-07-15,',
        },
      ]),
    );
    expect(roster.refused).toEqual([]);
    expect(roster.organizations.map((organization) => organization.kind)).toEqual([
      'bureau',
      'primary',
      'junior',
    ]);
    expect(roster.people[0]).toMatchObject({ ref: 't1', name: '王小明', staffNumber: 't1' });
    expect(roster.people[0]!.posts).toEqual([
      {
        organizationSourceId: 's1',
        role: 'class_teacher',
        workload: 'full',
        startsOn: '2023-09-01',
        endsOn: '2024-07-15',
        ends: false,
      },
      {
        organizationSourceId: 's1',
        role: 'young_pioneers_leader',
        workload: 'full',
        startsOn: '2024-09-01',
        endsOn: null,
        ends: false,
      },
    ]);
  });

  it.each([
    [{ ...wang, given: '' }, 'givenName', /empty/],
    [{ ...wang, starts: '2024-02-30' }, 'metadata.postStarts', /not a day/],
    [{ ...wang, starts: '45536' }, 'metadata.postStarts', /YYYY-MM-DD/],
    [{ ...wang, starts: '2024-09-01', ends: '2023-09-01' }, 'metadata.postEnds', /before it begins/],
    [{ ...wang, roles: 'headmistress' }, 'metadata.postRoles', /not a role/],
    [
      { ...wang, starts: '2024-09-01,2025-09-01' },
      'metadata.postStarts',
      /2 entries where metadata.postRoles has 1/,
    ],
    [{ ...wang, identity: '430121199001011234' }, 'metadata.identityNumber', /not an identity number/],
  ])(
    'refuses a faulty row with line, column and reason, and reads the rest: %o',
    async (faulty, column, reason) => {
      const roster = await readOneRoster(smallRoster([faulty, { ...wang, id: 't2' }]));
      expect(roster.refused).toHaveLength(1);
      expect(roster.refused[0]).toMatchObject({ file: 'users.csv', line: 2, column });
      expect(roster.refused[0]!.reason.en).toMatch(reason);
      expect(roster.people.map((person) => person.ref)).toEqual(['t2']);
    },
  );

  it('never carries an identity number in a refusal', async () => {
    const { refused } = await readOneRoster(smallRoster([{ ...wang, identity: '430121199001011234' }]));
    expect(refused[0]!.value).toBe('**************1234');
  });

  it('tells the line on which a record with a line break inside begins', async () => {
    const [orgs, users] = smallRoster([
      { ...wang, given: '"小\n明"' },
      { ...wang, id: 't2', family: '' },
    ]);
    const { refused } = await readOneRoster([orgs!, users!]);
    expect(refused.map((row) => row.line)).toEqual([4]);
  });

  it('reads over students and stores nothing of them', async () => {
    const header =
      'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password';
    const roster = await readOneRoster([
      file(
        'users.csv',
        `${header}\nu1,,,true,s1,student,x,,Ming,Li,,1,,,,,,\nu2,,,true,"s1,s2",teacher,y,,Ann,Smith,,2,,,,,,`,
      ),
    ]);
    expect(roster.rowsIgnored).toBe(1);
    expect(roster.people).toHaveLength(1);
    // A file of another maker has no columns of ours: a teacher teaches where the row says.
    expect(roster.people[0]).toMatchObject({
      name: 'Ann Smith',
      posts: [
        { organizationSourceId: 's1', role: 'subject_teacher', startsOn: null },
        { organizationSourceId: 's2' },
      ],
    });
  });

  it.each([
    [
      'a picture',
      [file('users.csv', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]))],
      /users.csv: it is neither UTF-8 nor GBK/,
    ],
    [
      'UTF-16',
      [file('users.csv', Buffer.from('\ufeffsourcedId', 'utf16le'))],
      /users.csv: it is UTF-16 text/,
    ],
    ['Latin-1', [file('users.csv', Buffer.from('sourcedId,caf\u00e9,x', 'latin1'))], /neither UTF-8 nor GBK/],
    ['another table', [file('users.csv', 'a,b\n1,2')], /users.csv: its header \(line 1\) lacks sourcedId/],
    [
      'an open quote',
      [
        file(
          'orgs.csv',
          'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"s1,,,x,school,1,',
        ),
      ],
      /orgs.csv: it is not well-formed CSV/,
    ],
    ['nothing of use', [file('classes.csv', 'x')], /Neither orgs.csv nor users.csv/],
    ['an empty file', [file('orgs.csv', '')], /orgs.csv: it is empty/],
    [
      'a manifest of OneRoster 1.0',
      [...smallRoster([wang]), file('manifest.csv', 'propertyName,value\noneroster.version,1.0')],
      /oneroster.version is 1.0/,
    ],
    [
      'a manifest that promises what is not there',
      [
        ...smallRoster([wang]).slice(0, 1),
        file('manifest.csv', 'propertyName,value\noneroster.version,1.1\nfile.orgs,bulk\nfile.users,bulk'),
      ],
      /users.csv is bulk, and it is not there/,
    ],
  ])('refuses %s whole', async (_name, files, reason) => {
    await expect(readOneRoster(files)).rejects.toThrow(UnreadableFile);
    await expect(readOneRoster(files)).rejects.toThrow(reason);
  });

  it('reads UTF-8 with a byte order mark', async () => {
    const [orgs] = smallRoster([]);
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), orgs!.bytes]);
    expect((await readOneRoster([file('orgs.csv', marked)])).organizations).toHaveLength(3);
  });

  const manifest = (version: string, mode: string, ...names: string[]) =>
    file(
      'manifest.csv',
      [
        `propertyName,value`,
        `oneroster.version,${version}`,
        ...names.map((name) => `file.${name},${mode}`),
      ].join('\n'),
    );

  it('reads OneRoster 1.2, where roles stand apart and nobody without one of staff is kept', async () => {
    const users = [
      'sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns',
      't1,,,true,t1,,小明,王,,t1,,,,,,,,,,,,s1,',
      'k1,,,true,k1,,小红,李,,k1,,,,,,,,,,,,s1,',
      't2,,,true,t2,,Ann,Smith,,t2,,,,,,,,,,,,s1,',
    ].join('\n');
    const roles = [
      'sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId,metadata.postRole',
      'r1,,,t1,primary,teacher,2023-09-01,2024-07-15,s1,,class_teacher',
      'r2,,,t1,secondary,teacher,2024-09-01,,s2,,',
      'r3,,,k1,primary,student,,,s1,,',
      'r4,,,t2,primary,counselor,,,s1,,',
      'r5,,,t2,primary,wizard,,,s1,,',
    ].join('\n');
    const roster = await readOneRoster([
      manifest('1.2', 'bulk', 'orgs', 'users', 'roles'),
      smallRoster([])[0]!,
      file('users.csv', users),
      file('roles.csv', roles),
    ]);
    expect(roster.saysAll).toBe(true);
    expect(roster.people.map((person) => person.ref)).toEqual(['t1', 't2']);
    expect(
      roster.people.map((person) => person.posts.map((post) => [post.role, post.startsOn, post.endsOn])),
    ).toEqual([
      [
        ['class_teacher', '2023-09-01', '2024-07-15'],
        ['subject_teacher', '2024-09-01', null],
      ],
      // What the post is for is not said, so it is not guessed.
      [],
    ]);
    expect(roster.refused).toMatchObject([{ file: 'roles.csv', line: 6, column: 'role', value: 'wizard' }]);
    expect(roster.rowsIgnored).toBe(2);
  });

  it('knows in a delta who leaves, and in a bulk file refuses to', async () => {
    const [orgs, users] = smallRoster([wang, { ...wang, id: 't2' }]);
    const gone = file('users.csv', users!.bytes.toString().replace('\nt2,,', '\nt2,tobedeleted,'));
    const delta = await readOneRoster([manifest('1.1', 'delta', 'orgs', 'users'), orgs!, gone]);
    expect(delta.people.map((person) => [person.ref, person.leaves, person.posts.length])).toEqual([
      ['t1', false, 1],
      ['t2', true, 0],
    ]);
    expect(delta.saysAll).toBe(false);
    const bulk = await readOneRoster([manifest('1.1', 'bulk', 'orgs', 'users'), orgs!, gone]);
    expect(bulk.refused).toMatchObject([{ line: 3, column: 'status', value: 'tobedeleted' }]);
  });

  it('refuses files that are bulk in part', async () => {
    const [orgs, users] = smallRoster([wang]);
    const mixed = file(
      'manifest.csv',
      'propertyName,value\noneroster.version,1.1\nfile.orgs,bulk\nfile.users,delta',
    );
    await expect(readOneRoster([mixed, orgs!, users!])).rejects.toThrow(/some files are bulk and some delta/);
  });
});

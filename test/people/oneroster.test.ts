import { describe, expect, it } from 'vitest';
import { UnreadableFile } from '../../src/people/roster/text.ts';
import { readOneRoster } from '../../src/people/roster/oneroster.ts';
import { smallRoster } from '../support/service.ts';

const file = (name: string, text: string | Buffer) => ({ name, bytes: Buffer.from(text) });
const wang = { id: 't1', family: '王', given: '小明' };

describe('reading OneRoster 1.1 CSV', () => {
  it('reads organizations, people and dated posts', () => {
    const roster = readOneRoster(
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
    expect(roster.people[0]).toMatchObject({ sourceId: 't1', name: '王小明', staffNumber: 't1' });
    expect(roster.people[0]!.posts).toEqual([
      {
        organizationSourceId: 's1',
        role: 'class_teacher',
        workload: 'full',
        startsOn: '2023-09-01',
        endsOn: '2024-07-15',
      },
      {
        organizationSourceId: 's1',
        role: 'young_pioneers_leader',
        workload: 'full',
        startsOn: '2024-09-01',
        endsOn: null,
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
    (faulty, column, reason) => {
      const roster = readOneRoster(smallRoster([faulty, { ...wang, id: 't2' }]));
      expect(roster.refused).toHaveLength(1);
      expect(roster.refused[0]).toMatchObject({ file: 'users.csv', line: 2, column });
      expect(roster.refused[0]!.reason).toMatch(reason);
      expect(roster.people.map((person) => person.sourceId)).toEqual(['t2']);
    },
  );

  it('never carries an identity number in a refusal', () => {
    const { refused } = readOneRoster(smallRoster([{ ...wang, identity: '430121199001011234' }]));
    expect(refused[0]!.value).toBe('**************1234');
  });

  it('takes the first of two rows with one sourcedId', () => {
    const roster = readOneRoster(smallRoster([wang, { ...wang, given: '大明' }]));
    expect(roster.people.map((person) => person.name)).toEqual(['王小明']);
    expect(roster.refused[0]).toMatchObject({ line: 3, column: 'sourcedId', value: 't1' });
  });

  it('tells the line on which a record with a line break inside begins', () => {
    const [orgs, users] = smallRoster([
      { ...wang, given: '"小\n明"' },
      { ...wang, id: 't2', family: '' },
    ]);
    expect(readOneRoster([orgs!, users!]).refused.map((row) => row.line)).toEqual([4]);
  });

  it('reads over students and stores nothing of them', () => {
    const header =
      'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password';
    const roster = readOneRoster([
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
  ])('refuses %s whole', (_name, files, reason) => {
    expect(() => readOneRoster(files)).toThrow(UnreadableFile);
    expect(() => readOneRoster(files)).toThrow(reason);
  });

  it('reads UTF-8 with a byte order mark', () => {
    const [orgs] = smallRoster([]);
    expect(
      readOneRoster([file('orgs.csv', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), orgs!.bytes]))])
        .organizations,
    ).toHaveLength(3);
  });
});

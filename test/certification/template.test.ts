import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bindingNames, parseTemplate, readTemplate } from '../../src/certification/template.ts';
import { projectFolder } from '../../src/config.ts';

const folder = join(projectFolder, 'certificates');

/** The least that is a template. */
const least = `
name: least
version: 1
page: { width: 400, height: 300 }
art: []
texts:
  - { text: '{holderName}', size: 20, x: 10, y: 10, width: 300, height: 40 }
  - { text: '{number} {issuerName} {issuedOn.zh}', size: 8, x: 10, y: 60, width: 300, height: 20 }
  - { text: ['{validity.zh} {verificationCode}'], size: 8, x: 10, y: 90, width: 300, height: 20 }
qr: { x: 10, y: 120, size: 70 }
`;

describe('a certificate template', () => {
  it('of ours is in order, each version of it', async () => {
    const versions = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'fonts')
      .flatMap(({ name }) => readdirSync(join(folder, name)).map((version) => [name, version] as const));
    expect(versions).toContainEqual(['standard', '1']);
    for (const [name, version] of versions)
      expect(await readTemplate(name, Number(version))).toMatchObject({ name, version: Number(version) });
  });

  it('may be small; what it does not say has a default', () => {
    expect(parseTemplate(least, 'x').texts[0]).toMatchObject({
      text: ['{holderName}'],
      role: 'P',
      lang: 'zh-CN',
      font: 'regular',
      align: 'left',
      lineHeight: 1.5,
      tracking: 0,
    });
  });

  it.each<[string, string | RegExp, string, string]>([
    [
      'a binding that is none',
      '{holderName}',
      '{holder} {holderName}',
      'texts.0.text binds {holder}; there are only number, ',
    ],
    ['no holder', "text: '{holderName}'", 'text: 某人', 'texts nowhere bind {holderName}'],
    ['no verification code', ' {verificationCode}', '', 'texts nowhere bind {verificationCode}'],
    ['a text over another', 'y: 60', 'y: 40', 'texts.0 overlaps texts.1'],
    ['a text over the QR code', 'y: 120', 'y: 100', 'texts.2 overlaps qr'],
    [
      'a text over the place of a photo',
      'art: []',
      'art: [{ kind: photo, x: 250, y: 70, width: 71, height: 99 }]',
      'texts.1 overlaps art.0',
    ],
    [
      'the place of a photo beside the page',
      'art: []',
      'art: [{ kind: photo, x: 350, y: 150, width: 71, height: 99 }]',
      'art.0 is not within the page',
    ],
    ['a text beside the page', 'x: 10, y: 90', 'x: 110, y: 90', 'texts.2 is not within the page'],
    ['a QR code beside the page', 'y: 120', 'y: 240', 'qr is not within the page'],
    [
      'a QR code too small for a phone',
      'size: 70',
      'size: 60',
      'qr.size must be at least 62.4 points (22 mm)',
    ],
    ['a box that holds no line', 'height: 40', 'height: 25', 'texts.0.height holds no line: one takes 30'],
    [
      'a smallest size above the size',
      'size: 20,',
      'size: 20, minSize: 21,',
      'texts.0.minSize is larger than size',
    ],
    ['lines that would touch', 'size: 20,', 'size: 20, lineHeight: 1,', 'texts.0.lineHeight '],
    [
      'a colour that is none',
      'size: 20,',
      "size: 20, color: 'red',",
      'texts.0.color must be a colour as #rrggbb',
    ],
    ['a setting that is unknown', 'size: 20,', 'size: 20, colour: 1,', 'texts.0 Unrecognized key: "colour"'],
    ['a size that is no number', 'size: 20,', 'size: large,', 'texts.0.size '],
    ['a text of nothing', "text: '{holderName}'", "text: ''", 'texts.0.text.0 '],
    ['no texts', /texts:[^]*?qr:/, 'texts: []\nqr:', 'texts '],
    ['art that is unknown', 'art: []', 'art: [{ kind: star, x: 1 }]', 'art.0.kind '],
    ['a figure without its place', 'art: []', 'art: [{ kind: rect, x: 1, y: 1, width: 5 }]', 'art.0.height '],
    [
      'waves without end',
      'art: []',
      "art: [{ kind: band, x1: 1, y1: 1, x2: 2, y2: 2, amplitude: 1, waves: 9999, strands: 1, stroke: '#000000' }]",
      'art.0.waves ',
    ],
    ['a version that is none', 'version: 1', 'version: 0', 'version '],
    ['no page', /page:.*/, '', 'page '],
    ['nothing in it', /[^]*/, '', 'template '],
  ])('with %s is refused, with where and what', (_name, from, to, message) => {
    expect(least).toMatch(from);
    expect(() => parseTemplate(least.replace(from, to), 'certificates/least/1/template.yaml')).toThrow(
      `certificates/least/1/template.yaml: `,
    );
    expect(() => parseTemplate(least.replace(from, to), 'x')).toThrow(message);
  });

  it('tells all its mistakes at once', () => {
    const wrong = least.replace('size: 70', 'size: 60').replace('{holderName}', '{nobody}');
    expect(() => parseTemplate(wrong, 'x')).toThrow(/qr\.size .*; /);
    expect(() => parseTemplate(wrong, 'x')).toThrow(/texts\.0\.text binds \{nobody\}/);
  });

  it('that is no YAML is refused with its file', () => {
    expect(() => parseTemplate('name: [', 'certificates/x/1/template.yaml')).toThrow(
      /^certificates\/x\/1\/template\.yaml: .*line 1/,
    );
  });

  it('that is not there is refused by its path, and may come later', async () => {
    for (let twice = 0; twice < 2; twice += 1)
      await expect(readTemplate('nothing', 1)).rejects.toThrow('certificates/nothing/1/template.yaml');
  });

  it('can bind all that certificates/README.md lists', () => {
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const name of bindingNames) expect(readme).toContain(`{${name}}`);
  });
});

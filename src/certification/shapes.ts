import type PDFDocument from 'pdfkit';
import { runsOf } from './fonts.ts';
import type { Template } from './template.ts';

/* What a template draws before its words: lines, figures, guilloche and the seal. */

type Doc = InstanceType<typeof PDFDocument>;
type Shape = Template['art'][number];
type Point = readonly [x: number, y: number];

/** @param issuerName what a seal says round its edge. @throws MissingGlyph */
export function drawShape(doc: Doc, shape: Shape, issuerName: string): void {
  doc.save().lineWidth(shape.lineWidth);
  switch (shape.kind) {
    case 'rect':
      doc.roundedRect(shape.x, shape.y, shape.width, shape.height, shape.radius);
      paint(doc, shape);
      break;
    case 'circle':
      doc.circle(shape.x, shape.y, shape.radius);
      paint(doc, shape);
      break;
    case 'line':
      doc.moveTo(shape.x1, shape.y1).lineTo(shape.x2, shape.y2).stroke(shape.stroke);
      break;
    case 'path':
      doc.path(shape.d);
      paint(doc, shape);
      break;
    case 'band':
      drawBand(doc, shape);
      break;
    case 'rosette':
      drawRosette(doc, shape);
      break;
    case 'seal':
      drawSeal(doc, shape, issuerName);
      break;
    case 'photo':
      drawPhotoPlace(doc, shape);
      break;
  }
  doc.restore();
}

function paint(doc: Doc, { stroke, fill }: { stroke?: string | undefined; fill?: string | undefined }): void {
  if (stroke !== undefined && fill !== undefined) doc.fillAndStroke(fill, stroke);
  else if (fill !== undefined) doc.fill(fill);
  else if (stroke !== undefined) doc.stroke(stroke);
}

/** Dashes round the place, and the outline of a head and shoulders in it, so that it needs no words in any language. */
function drawPhotoPlace(doc: Doc, { x, y, width, height, stroke }: Extract<Shape, { kind: 'photo' }>): void {
  doc.rect(x, y, width, height).dash(3, { space: 3 }).stroke(stroke).undash();
  const [middle, unit] = [x + width / 2, Math.min(width, height)];
  const [head, shoulders] = [y + height * 0.4, y + height * 0.86];
  doc.circle(middle, head, unit * 0.17).stroke(stroke);
  doc
    .moveTo(middle - unit * 0.32, shoulders)
    .bezierCurveTo(
      middle - unit * 0.32,
      head + unit * 0.2,
      middle + unit * 0.32,
      head + unit * 0.2,
      middle + unit * 0.32,
      shoulders,
    )
    .stroke(stroke);
}

/*
 * Both kinds of guilloche repeat one figure under a moved or turned coordinate system: the repeated bytes then compress to
 * almost nothing, where absolute coordinates would take 100 kB.
 */

/** Sine waves along a line, each as far behind the one before. */
function drawBand(
  doc: Doc,
  { x1, y1, x2, y2, amplitude, waves, strands, stroke }: Extract<Shape, { kind: 'band' }>,
): void {
  const length = Math.hypot(x2 - x1, y2 - y1) / waves;
  doc.translate(x1, y1).rotate((Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI);
  for (let wave = 0; wave < waves; wave += 1) {
    for (let strand = 0; strand < strands; strand += 1) {
      const phase = (2 * Math.PI * strand) / strands;
      traceCurve(doc, 4, (t) => [length * t, amplitude * Math.sin(2 * Math.PI * t + phase)]);
    }
    doc.stroke(stroke).translate(length, 0);
  }
}

/** The same round a point: the ring that the waves fill lies between `inner` and `outer`. */
function drawRosette(
  doc: Doc,
  { x, y, inner, outer, petals, strands, stroke }: Extract<Shape, { kind: 'rosette' }>,
): void {
  doc.translate(x, y);
  for (let strand = 0; strand < strands; strand += 1) {
    traceCurve(doc, petals * 4, (t) => {
      const radius = (outer + inner) / 2 + ((outer - inner) / 2) * Math.sin(2 * Math.PI * petals * t);
      return [radius * Math.cos(2 * Math.PI * t), radius * Math.sin(2 * Math.PI * t)];
    });
    doc.stroke(stroke).rotate(360 / petals / strands);
  }
}

/** Bézier curves through `steps` + 1 points of a smooth curve, t from 0 to 1, with the curve's own slope at each. */
function traceCurve(doc: Doc, steps: number, at: (t: number) => Point): void {
  const near = 1e-6;
  const handle = (t: number, axis: 0 | 1): number =>
    (at(t + near)[axis] - at(t - near)[axis]) / (2 * near) / (3 * steps);
  // A tenth of a point is a dot of a 720 dpi print.
  const round = (length: number): number => Math.round(length * 10) / 10;
  let [x, y] = at(0);
  doc.moveTo(round(x), round(y));
  for (let step = 1; step <= steps; step += 1) {
    const [from, to] = [(step - 1) / steps, step / steps];
    const [nextX, nextY] = at(to);
    doc.bezierCurveTo(
      round(x + handle(from, 0)),
      round(y + handle(from, 1)),
      round(nextX - handle(to, 0)),
      round(nextY - handle(to, 1)),
      round(nextX),
      round(nextY),
    );
    [x, y] = [nextX, nextY];
  }
}

/**
 * A round seal: two rings, the issuer's name along the upper edge, a bridge in the middle. As outlines: whoever copies the text of the
 * page gets no scattered letters. It is a drawing and proves nothing; the signature does.
 */
function drawSeal(
  doc: Doc,
  { x, y, radius, stroke, lineWidth }: Extract<Shape, { kind: 'seal' }>,
  issuerName: string,
): void {
  doc.circle(x, y, radius).stroke(stroke);
  doc
    .lineWidth(lineWidth / 3)
    .circle(x, y, radius * 0.93)
    .stroke(stroke);
  const letters = runsOf('bold', issuerName, 'issuerName').flatMap((run) =>
    run.font.layout(run.text).glyphs.map((glyph) => ({ glyph, em: run.font.unitsPerEm })),
  );
  // Over at most two thirds of the edge; a long name is set smaller.
  const inner = radius * 0.84;
  const widest = (inner * 2 * Math.PI * 2) / 3;
  const ems = letters.reduce((sum, { glyph, em }) => sum + glyph.advanceWidth / em, 0);
  const size = Math.min(radius * 0.3, (widest / ems) * 0.92);
  const baseline = inner - size * 0.88;
  const step = (advance: number): number => (advance * size * 1.08) / (baseline + size * 0.38);
  const whole = letters.reduce((sum, { glyph, em }) => sum + step(glyph.advanceWidth / em), 0);
  let angle = -whole / 2;
  for (const { glyph, em } of letters) {
    const turn = step(glyph.advanceWidth / em);
    doc.save().translate(x, y);
    doc.rotate(((angle + turn / 2) * 180) / Math.PI);
    doc.translate((-glyph.advanceWidth / em / 2) * size, -baseline).scale(size / em, -size / em);
    doc.path(glyph.path.toSVG()).fill(stroke);
    doc.restore();
    angle += turn;
  }
  const arch = radius * 0.42;
  doc.lineWidth(lineWidth * 1.2);
  doc
    .path(`M ${x - arch} ${y + arch * 0.6} Q ${x} ${y - arch * 0.9} ${x + arch} ${y + arch * 0.6}`)
    .stroke(stroke);
  doc.path(`M ${x - arch * 1.3} ${y + arch * 0.6} H ${x + arch * 1.3}`).stroke(stroke);
}

/*
 * The breathing bell of strength-lesson: node courses/ethics-and-own-strength/bell.mjs > bell.wav
 * What lies in the lesson is this, packed as MP3 by lamejs 1.2 (one channel, 24 kbit/s), which every phone plays and a slow line carries.
 */

const RATE = 24_000;
const SECONDS = 48;
/** A breath is four seconds in and six out: about six breaths a minute. */
const BREATHS = 4;
const BREATH = { begins: 2, inwards: 4, whole: 10 };

/** Partials of a small bowl, as multiples of its tone; the higher ones are quieter and gone sooner. The second of each pair makes it beat slowly. */
const PARTIALS = [
  { times: 1, loud: 1, fades: 2.6 },
  { times: 1.003, loud: 0.5, fades: 2.6 },
  { times: 2.71, loud: 0.28, fades: 1.3 },
  { times: 2.716, loud: 0.14, fades: 1.3 },
  { times: 5.1, loud: 0.08, fades: 0.6 },
];
const HIGH = 396;
const LOW = 297;

const strokes = Array.from({ length: BREATHS }, (_, breath) => breath * BREATH.whole + BREATH.begins)
  .flatMap((at) => [
    { at, tone: HIGH, loud: 0.5 },
    { at: at + BREATH.inwards, tone: LOW, loud: 0.5 },
  ])
  // The end: one more, lower and left to fade.
  .concat({ at: BREATHS * BREATH.whole + BREATH.begins, tone: LOW / 1.5, loud: 0.55 });

const samples = new Float64Array(RATE * SECONDS);
for (const { at, tone, loud } of strokes)
  for (const partial of PARTIALS)
    for (let index = at * RATE; index < samples.length; index += 1) {
      const seconds = index / RATE - at;
      // Struck with felt: it swells for a moment, where a hard beginning would startle.
      const swell = 1 - Math.exp(-seconds / 0.02);
      samples[index] +=
        loud *
        partial.loud *
        swell *
        Math.exp(-seconds / partial.fades) *
        Math.sin(2 * Math.PI * tone * partial.times * seconds);
    }

const loudest = samples.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
const wav = Buffer.alloc(44 + samples.length * 2);
wav.write('RIFF', 0);
wav.writeUInt32LE(wav.length - 8, 4);
wav.write('WAVEfmt ', 8);
wav.writeUInt32LE(16, 16);
wav.writeUInt16LE(1, 20);
wav.writeUInt16LE(1, 22);
wav.writeUInt32LE(RATE, 24);
wav.writeUInt32LE(RATE * 2, 28);
wav.writeUInt16LE(2, 32);
wav.writeUInt16LE(16, 34);
wav.write('data', 36);
wav.writeUInt32LE(samples.length * 2, 40);
const FADE_S = 2;
for (const [index, each] of samples.entries()) {
  const left = (samples.length - index) / RATE;
  wav.writeInt16LE(Math.round((each / loudest) * 0.7 * Math.min(1, left / FADE_S) * 32_767), 44 + index * 2);
}
process.stdout.write(wav);

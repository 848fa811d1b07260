const PATHS = {
  check: 'M4 11 L8.5 15.5 L16 5.5',
  cross: 'M5 5 L15 15 M15 5 L5 15',
  question: 'M7 7.5 A3 3 0 1 1 10 10.5 V12 M10 15.2 V15.4',
  clock: 'M10 5.5 V10 L13 12 M17.5 10 A7.5 7.5 0 1 1 2.5 10 A7.5 7.5 0 1 1 17.5 10',
  circle: 'M16 10 A6 6 0 1 1 4 10 A6 6 0 1 1 16 10',
  half: 'M16 10 A6 6 0 1 1 4 10 A6 6 0 1 1 16 10 M10 5 V15',
  swap: 'M4 7 H15 M12 4 L15 7 L12 10 M16 13 H5 M8 10 L5 13 L8 16',
  up: 'M10 16 V4 M5 9 L10 4 L15 9',
  down: 'M10 4 V16 M5 11 L10 16 L15 11',
} as const;

/** Beside words that say the same: a font may lack such characters, and a screen reader would spell them. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

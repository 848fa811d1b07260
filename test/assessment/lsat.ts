/*
 * Section VI of the Law School Admission Test: five items, 1000 people, as published by Bock & Lieberman (Psychometrika 35, 1970). How
 * many gave each pattern of right (1) and wrong (0) answers. What is expected of it stands in Rizopoulos, "ltm: an R package for latent
 * variable modeling", Journal of Statistical Software 17(5), 2006: the output of descript(LSAT).
 */
const PATTERNS: Readonly<Record<string, number>> = {
  '00000': 3,
  '00001': 6,
  '00010': 2,
  '00011': 11,
  '00100': 1,
  '00101': 1,
  '00110': 3,
  '00111': 4,
  '01000': 1,
  '01001': 8,
  '01011': 16,
  '01101': 3,
  '01110': 2,
  '01111': 15,
  '10000': 10,
  '10001': 29,
  '10010': 14,
  '10011': 81,
  '10100': 3,
  '10101': 28,
  '10110': 15,
  '10111': 80,
  '11000': 16,
  '11001': 56,
  '11010': 21,
  '11011': 173,
  '11100': 11,
  '11101': 61,
  '11110': 28,
  '11111': 298,
};

/** A row per person, 0 or 1 per item. */
export const lsat: readonly (readonly number[])[] = Object.entries(PATTERNS).flatMap(([pattern, people]) =>
  Array.from({ length: people }, () => [...pattern].map(Number)),
);

export const published = {
  facility: [0.924, 0.709, 0.553, 0.763, 0.87],
  /** Point-biserial with the total score, the item excluded. */
  discrimination: [0.1128, 0.1532, 0.1728, 0.1444, 0.1216],
  alpha: 0.295,
};

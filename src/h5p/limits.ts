/** What a package may hold at most. */
export interface PackageLimits {
  readonly files: number;
  /** Unpacked bytes in all. */
  readonly bytes: number;
  /** Of one file, unpacked. */
  readonly fileBytes: number;
  /** Unpacked to packed bytes of one file; small files may shrink by any rate. */
  readonly ratio: number;
}

const MEGABYTE = 1024 * 1024;

/** @param megabytes of all files of a package together. */
export function packageLimits(megabytes: number): PackageLimits {
  return { files: 10_000, bytes: megabytes * MEGABYTE, fileBytes: megabytes * MEGABYTE, ratio: 200 };
}

export const USUAL_PACKAGE_MEGABYTES = 256;

/** Of a JSON file: a large Interactive Book has 2 MB. */
export const JSON_LIMITS = { bytes: 8 * MEGABYTE, depth: 100 } as const;
/** Of a drawing, which is read whole. */
export const SVG_BYTES = 4 * MEGABYTE;
/** Of a path: S3 takes 1,024 bytes, and file systems 255 in a name. */
export const PATH_LIMITS = { bytes: 512, segment: 200, depth: 16 } as const;

export function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(bytes < 10 * MEGABYTE ? 1 : 0)} MB`;
}

import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFolder } from '../config.ts';
import { readCourseFolder } from '../courses/folder.ts';
import { packageFiles, packageFormats } from '../lti/package.ts';
import { zipOf } from '../lti/package-zip.ts';

/*
 * npm run course:package -- <slug> --service https://… [--format scorm-1.2|scorm-2004] [--to file.zip]: a course for a platform without LTI. Needs no
 * database; a running service gives the same at /packages/<slug>/<format>.zip.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    service: { type: 'string' },
    format: { type: 'string', default: 'scorm-1.2' },
    to: { type: 'string' },
  },
});
const [slug] = positionals;
const format = packageFormats.find((each) => each === values.format);
const service =
  values.service !== undefined && URL.canParse(values.service) ? new URL(values.service) : undefined;
if (
  slug === undefined ||
  format === undefined ||
  service === undefined ||
  !/^https?:$/.test(service.protocol)
) {
  console.error(
    `Use: npm run course:package -- <slug> --service https://where-the-service-is [--format ${packageFormats.join('|')}] [--to file.zip]`,
  );
  process.exit(1);
}
const coursesFolder = join(projectFolder, 'courses');
const read = await readCourseFolder(join(coursesFolder, slug), join(coursesFolder, 'libraries'));
if ('problems' in read) {
  console.error(`${slug}: ${read.problems.length} to mend; see npm run course:check -- ${slug}`);
  process.exit(1);
}
const to = resolve(values.to ?? `${slug}-${format}.zip`);
await writeFile(
  to,
  await zipOf(
    packageFiles(
      { slug, version: read.course.manifest.version, manifest: read.course.manifest },
      { format, serviceUrl: service.origin },
    ),
  ),
);
console.log(`Written: ${to}`);

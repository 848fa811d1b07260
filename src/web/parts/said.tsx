import type { ReactNode } from 'react';
import { languageOf, useLanguage, type LanguageCode } from '../language.tsx';

/** Words of a course, in the language that they are in: Chinese on an English page must be read out, and set, as Chinese. */
export function Said({ in: code, children }: { in: LanguageCode; children: ReactNode }) {
  const page = useLanguage();
  return code === page.code ? children : <span lang={languageOf(code)}>{children}</span>;
}

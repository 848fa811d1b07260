import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { en } from './texts/en.ts';
import { zhCN, type Texts } from './texts/zh-CN.ts';

export type Language = 'zh-CN' | 'en';
/** As the GraphQL contract writes it. */
export type LanguageCode = 'zh_CN' | 'en';

interface LanguageState {
  readonly language: Language;
  readonly code: LanguageCode;
  readonly t: Texts;
  readonly choose: (language: Language) => void;
}

const STORAGE_KEY = 'xinqiao.language';
const Context = createContext<LanguageState | undefined>(undefined);

function remembered(): Language {
  try {
    const kept = localStorage.getItem(STORAGE_KEY);
    if (kept === 'zh-CN' || kept === 'en') return kept;
  } catch {
    // A frame may be refused storage.
  }
  return navigator.language.startsWith('zh') || !navigator.language.startsWith('en') ? 'zh-CN' : 'en';
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(remembered);
  useEffect(() => {
    document.documentElement.lang = language;
    try {
      localStorage.setItem(STORAGE_KEY, language);
    } catch {
      // as above
    }
  }, [language]);
  const state = useMemo<LanguageState>(
    () => ({
      language,
      code: language === 'zh-CN' ? 'zh_CN' : 'en',
      t: language === 'zh-CN' ? zhCN : en,
      choose: setLanguage,
    }),
    [language],
  );
  return <Context value={state}>{children}</Context>;
}

export function useLanguage(): LanguageState {
  const state = useContext(Context);
  if (state === undefined) throw new Error('LanguageProvider is missing.');
  return state;
}

export function languageOf(code: LanguageCode): Language {
  return code === 'en' ? 'en' : 'zh-CN';
}

/** A calendar day as people of the language write it. */
export function formatDay(day: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'zh-CN' ? 'zh-CN' : 'en-GB', {
    dateStyle: 'long',
    timeZone: 'UTC',
  }).format(new Date(`${day}T00:00:00Z`));
}

/** An instant, in the time of China. */
export function formatTime(instant: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'zh-CN' ? 'zh-CN' : 'en-GB', {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'Asia/Shanghai',
  }).format(new Date(instant));
}

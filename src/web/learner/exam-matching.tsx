import { languageOf, useLanguage } from '../language.tsx';
import type { AnswerProps } from './exam-answer.tsx';

/** A list to choose from for each: on a phone surer than drawing lines. */
export function MatchingAnswer({ item, chosen, choose }: AnswerProps) {
  const { t } = useLanguage();
  const matched = new Map(chosen.map((match) => match.split('=') as [string, string]));
  const match = (key: string, target: string): void => {
    const next = new Map(matched);
    if (target === '') next.delete(key);
    else next.set(key, target);
    choose([...next].map(([pair, to]) => `${pair}=${to}`));
  };
  return item.options.map((option) => (
    <label key={option.key} className={matched.has(option.key) ? 'match chosen' : 'match'}>
      <span lang={languageOf(item.language)}>{option.text}</span>
      <select
        value={matched.get(option.key) ?? ''}
        onChange={(event) => match(option.key, event.target.value)}
      >
        <option value="">{t.matchChoose}</option>
        {item.targets.map((target) => (
          <option key={target.key} value={target.key} lang={languageOf(item.language)}>
            {target.text}
          </option>
        ))}
      </select>
    </label>
  ));
}

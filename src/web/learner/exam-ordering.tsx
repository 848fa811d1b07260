import { useEffect, useRef, useState } from 'react';
import { useLanguage } from '../language.tsx';
import { Icon } from '../parts/icon.tsx';
import { Said } from '../parts/said.tsx';
import type { AnswerProps } from './exam-answer.tsx';

/** Moved by buttons, which fingers and keyboards find alike. */
export function OrderingAnswer({ item, chosen, choose }: AnswerProps) {
  const { t } = useLanguage();
  const order = chosen.length === 0 ? item.options.map((option) => option.key) : chosen;
  const [moved, setMoved] = useState<{ key: string; by: -1 | 1 }>();
  const list = useRef<HTMLOListElement>(null);

  // What was moved keeps the focus, though its place in the page is another.
  useEffect(() => {
    if (moved === undefined) return;
    const row = list.current?.querySelector(`[data-element="${moved.key}"]`);
    const buttons = [...(row?.querySelectorAll('button') ?? [])];
    const same = buttons[moved.by === -1 ? 0 : 1];
    (same?.disabled === true ? buttons.find((button) => !button.disabled) : same)?.focus();
  }, [moved]);

  const move = (key: string, by: -1 | 1): void => {
    const from = order.indexOf(key);
    const next = order.filter((each) => each !== key);
    next.splice(from + by, 0, key);
    setMoved({ key, by });
    choose(next);
  };
  return (
    <>
      <ol className="order" ref={list}>
        {order.map((key, at) => {
          const text = item.options.find((option) => option.key === key)?.text ?? '';
          return (
            <li key={key} data-element={key} className={chosen.length === 0 ? '' : 'chosen'}>
              <span className="order-text">
                <Said in={item.language}>{text}</Said>
              </span>
              <button
                type="button"
                className="second"
                disabled={at === 0}
                aria-label={t.moveUp(text)}
                onClick={() => move(key, -1)}
              >
                <Icon name="up" />
              </button>
              <button
                type="button"
                className="second"
                disabled={at === order.length - 1}
                aria-label={t.moveDown(text)}
                onClick={() => move(key, 1)}
              >
                <Icon name="down" />
              </button>
            </li>
          );
        })}
      </ol>
      <p className="visually-hidden" aria-live="polite">
        {moved === undefined ? '' : t.movedTo(order.indexOf(moved.key) + 1, order.length)}
      </p>
      {chosen.length === 0 && (
        <p className="row">
          <span className="quiet">{t.orderHint}</span>
          <button type="button" className="plain" onClick={() => choose(order)}>
            {t.orderKeep}
          </button>
        </p>
      )}
    </>
  );
}

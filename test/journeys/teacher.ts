import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { parse } from 'yaml';
import { projectFolder } from '../../src/config.ts';
import { itemFileSchema, questionsOf, type Item } from '../../src/courses/item.ts';

/* What a teacher does in the browser: plays a course's contents and answers its exam. Chinese pages. */

/** Plays the content that is open until the page says that it is done. Any answer will do: practice is not graded. */
export async function playActivity(page: Page): Promise<void> {
  const content = page.frameLocator('.player iframe');
  await content.locator('[data-xinqiao]').waitFor();
  const done = page.locator('p.done');
  for (let step = 0; step < 200; step += 1) {
    if (!(await takeStep(content))) {
      await done.waitFor({ timeout: 10_000 });
      return;
    }
  }
  throw new Error('The content does not come to an end.');
}

/** The one thing that a learner can do next. @returns whether there was one. */
async function takeStep(content: FrameLocator): Promise<boolean> {
  const level = content.locator('[data-level]:enabled').first();
  if (await level.isVisible()) {
    await level.click();
    await content.locator('[data-action=next]').click();
    return true;
  }
  const option = content.locator('[data-option] input:enabled').first();
  if (await option.isVisible()) {
    await option.check();
    await content.locator('[data-action=check]').click();
    await content.locator('[data-action=next]').click();
    return true;
  }
  const closed = content.locator('[data-action=reveal][aria-expanded=false]').first();
  if (await closed.isVisible()) {
    await closed.click();
    return true;
  }
  const next = content.locator('[data-action=next]');
  if (!(await next.isVisible())) return false;
  await next.click();
  return true;
}

/** What is right, in the Chinese words of the page. */
export type RightAnswer =
  | { readonly kind: 'choose'; readonly texts: readonly string[] }
  | { readonly kind: 'order'; readonly texts: readonly string[] }
  /** Text of the pair → text of its target. */
  | { readonly kind: 'match'; readonly pairs: ReadonlyMap<string, string> }
  | { readonly kind: 'number'; readonly value: string };

/** Chinese stem → what is right, from the course folder, which no learner sees. */
export async function readAnswers(course: string): Promise<Map<string, RightAnswer>> {
  const folder = join(projectFolder, 'courses', course, 'items');
  const answers = new Map<string, RightAnswer>();
  for (const file of await readdir(folder)) {
    const items = itemFileSchema.parse(parse(await readFile(join(folder, file), 'utf8')));
    for (const item of items.flatMap((written) => questionsOf(written)))
      answers.set(item.stem['zh-CN'], rightOf(item));
  }
  return answers;
}

function rightOf(item: Item): RightAnswer {
  switch (item.kind) {
    case 'ordering':
      return { kind: 'order', texts: item.elements.map(({ text }) => text['zh-CN']) };
    case 'matching':
      return {
        kind: 'match',
        pairs: new Map(
          item.pairs.map(({ text, matches }) => [
            text['zh-CN'],
            item.targets.find(({ key }) => key === matches)!.text['zh-CN'],
          ]),
        ),
      };
    case 'numeric':
      return { kind: 'number', value: String(item.answer) };
    case 'single':
    case 'multiple':
    case 'true_false':
      return {
        kind: 'choose',
        texts: item.options.filter(({ correct }) => correct).map(({ text }) => text['zh-CN']),
      };
  }
}

/** A right answer as the API takes it. */
export function chosenOf(
  answer: RightAnswer,
  item: {
    readonly options: readonly { key: string; text: string }[];
    readonly targets: readonly { key: string; text: string }[];
  },
): string[] {
  const keyOf = (text: string | undefined, among: readonly { key: string; text: string }[]): string =>
    among.find((each) => each.text === text)!.key;
  switch (answer.kind) {
    case 'number':
      return [answer.value];
    case 'match':
      return item.options.map(({ key, text }) => `${key}=${keyOf(answer.pairs.get(text), item.targets)}`);
    case 'choose':
    case 'order':
      return answer.texts.map((text) => keyOf(text, item.options));
  }
}

/** Answers the question that is shown, rightly, and waits until the answer is saved. */
export async function answerQuestion(page: Page, answers: ReadonlyMap<string, RightAnswer>): Promise<void> {
  const question = page.locator('.question');
  const stem = (await question.locator('.stem').textContent()) ?? '';
  const right = answers.get(stem.trim());
  if (right === undefined) throw new Error(`The item bank has no question "${stem}".`);
  switch (right.kind) {
    case 'choose':
      for (const text of right.texts) await question.getByLabel(text, { exact: true }).check();
      break;
    case 'order':
      for (const [place, text] of right.texts.entries())
        for (;;) {
          const order = await question.locator('.order-text').allTextContents();
          if (order.indexOf(text) <= place) break;
          await question.getByRole('button', { name: `上移：${text}`, exact: true }).press('Enter');
        }
      break;
    case 'match':
      for (const [text, target] of right.pairs)
        await question.locator('.match', { hasText: text }).locator('select').selectOption({ label: target });
      break;
    case 'number':
      await question.locator('.number input').fill(right.value);
  }
  await page.locator('.saving-saved').waitFor();
}

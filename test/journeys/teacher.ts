import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { parse } from 'yaml';
import { projectFolder } from '../../src/config.ts';
import { bestWords, readScenarios } from '../support/conversation.ts';

/* What a teacher does in the browser: plays a course's contents and conversations and answers its exam. Chinese pages. */

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

/** What an open activity is played with has come up. @returns whether it is a conversation. */
export async function activityComesUp(page: Page): Promise<boolean> {
  const begin = page.getByRole('button', { name: '开始对话' });
  await page.locator('.player iframe').or(begin).first().waitFor();
  if (await begin.isVisible()) return true;
  await page.frameLocator('.player iframe').locator('[data-xinqiao]').waitFor();
  return false;
}

/** Has the conversation that is open on its best way. @param look hears of the moments worth a look. */
export async function playConversation(page: Page, look: (moment: string) => Promise<void>): Promise<void> {
  const key = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1)!);
  const words = bestWords((await readScenarios()).get(key)!);
  await page.getByRole('button', { name: '开始对话' }).click();
  for (const [index, word] of words.entries()) {
    await page.locator(`.conversation[data-turn="${index + 1}"]`).waitFor();
    if (index === 2) {
      // A phone that fails in the middle: the moves are on the server.
      await page.reload();
      await page.locator('.conversation[data-turn="3"]').waitFor();
      await look('middle');
    }
    await page.getByRole('button', { name: word, exact: true }).click();
  }
  await page.locator('.conversation.ended').waitFor();
  await page.locator('p.done').waitFor();
  await page.getByRole('heading', { name: '回放' }).waitFor();
  await look('ended');
  if (!(await page.locator('.conversation.ended').isVisible())) throw new Error('The end went away.');
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

/** Chinese stem → Chinese texts of the right options, from the course folder, which no learner sees. */
export async function readAnswers(course: string): Promise<Map<string, string[]>> {
  const folder = join(projectFolder, 'courses', course, 'items');
  const answers = new Map<string, string[]>();
  for (const file of await readdir(folder)) {
    const items = parse(await readFile(join(folder, file), 'utf8')) as {
      stem: { 'zh-CN': string };
      options: { text: { 'zh-CN': string }; correct?: boolean }[];
    }[];
    for (const { stem, options } of items) {
      const right = options.filter((option) => option.correct === true);
      answers.set(
        stem['zh-CN'],
        right.map((option) => option.text['zh-CN']),
      );
    }
  }
  return answers;
}

/** Answers the question that is shown, rightly, and waits until the answer is saved. */
export async function answerQuestion(
  page: Page,
  answers: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const stem = (await page.locator('.question .stem').textContent()) ?? '';
  const right = answers.get(stem.trim());
  if (right === undefined) throw new Error(`The item bank has no question "${stem}".`);
  for (const text of right) {
    await page.locator('.question').getByLabel(text, { exact: true }).check();
  }
  await page.locator('.saving-saved').waitFor();
}

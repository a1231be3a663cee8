import { expect, it } from 'vitest';
import { parseRepository, type Repository } from '../../shared/domain/repository.ts';
import { rememberingYes } from '../../shared/edge/remembering-yes.ts';

const org = parseRepository(['org']);

/** Something to ask, that counts how often it is asked. */
function aQuestion() {
  const asked: Repository[] = [];
  const state = { now: 0, answer: true };
  const ask = rememberingYes(
    async (repository) => {
      asked.push(repository);
      return state.answer;
    },
    { now: () => state.now },
  );
  return { ask, asked, state };
}

it('asks once in five seconds', async () => {
  const { ask, asked, state } = aQuestion();
  for (state.now of [0, 1, 4_999]) expect(await ask(org)).toBe(true);
  expect(asked.length).toBe(1);
  state.answer = false;
  state.now = 5_000;
  expect(await ask(org)).toBe(false);
});

it('counts from before it asked, whatever time the answer took', async () => {
  const state = { now: 0, answer: true };
  const ask = rememberingYes(
    async () => {
      state.now += 3_000;
      return state.answer;
    },
    { now: () => state.now },
  );
  expect(await ask(org)).toBe(true);
  state.answer = false;
  state.now = 4_999;
  expect(await ask(org)).toBe(true);
  state.now = 5_000;
  expect(await ask(org)).toBe(false);
});

it('remembers no refusal', async () => {
  const { ask, state } = aQuestion();
  state.answer = false;
  expect(await ask(org)).toBe(false);
  state.answer = true;
  expect(await ask(org)).toBe(true);
});

it('keeps apart what it is asked about, the root repository too', async () => {
  const { ask, asked } = aQuestion();
  const repositories = [[], ['org'], ['org', 'team']].map((segments) => parseRepository(segments));
  for (const repository of [...repositories, ...repositories]) await ask(repository);
  expect(asked).toEqual(repositories);
});

it('forgets all of them once there are more than a thousand', async () => {
  const { ask, asked } = aQuestion();
  for (let n = 0; n <= 1_000; n += 1) await ask(parseRepository([`r${n}`]));
  expect(asked.length).toBe(1_001);
  await ask(parseRepository(['r0']));
  expect(asked.length).toBe(1_002);
});

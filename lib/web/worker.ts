import type { Question } from './page-data.js';
import { type GivenFile, Session, sentenceOf } from './session.js';

/*
 * The worker of the page. Its page asks one question after another, and gets the answer, or why there is none. Files are read in slices, synchronously,
 * which no other thread of a browser may do; to cancel, the page ends the worker.
 */

/** What is used of a worker's global scope: the library is checked without the types of the DOM. */
interface Scope {
  onmessage: (event: { readonly data: Question & { readonly number: number } }) => void;
  postMessage(answer: { readonly number: number } & ({ readonly value: unknown } | { readonly problem: string })): void;
}

const scope = globalThis as unknown as Scope;
const session = new Session();

scope.onmessage = async ({ data: { number, ...question } }) => {
  try {
    scope.postMessage({ number, value: await answerTo(question) });
  } catch (error) {
    scope.postMessage({ number, problem: sentenceOf(error) });
  }
};

function answerTo(question: Question): Promise<unknown> {
  return question.ask === 'open' ? session.open(question.files as readonly GivenFile[]) : session.load(question.subject, question.part);
}

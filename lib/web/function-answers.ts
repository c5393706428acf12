import { isFormatError } from '../../elf/errors.js';
import { ATTACH_FORMS, type AttachForm } from '../answers/attach/recipe.js';
import type { MissingBtfOptions } from '../answers/missing-btf/missing-btf.js';
import { askedFunctions, traceQuestion } from '../answers/trace/question.js';
import { placeIn } from '../answers/trace/traceability.js';
import { InputError, MissingError } from '../errors.js';
import type { Kernel } from '../kernel.js';
import { attachReport, writtenRecipe } from '../report/attach.js';
import { kernelId } from '../report/report.js';
import { traceReport } from '../report/trace.js';
import { whyReport } from '../report/why.js';
import { jsonOf } from './json-of.js';
import type { AttachDocument, FunctionAnswers, Problem } from './page-data.js';

/** What `kelf trace`, `why` and `attach` print, with --json, of one name, place, tracepoint or system call. */
export function functionAnswers(
  kernel: Kernel,
  text: string,
  options: MissingBtfOptions = {},
  forms: readonly AttachForm[] = ATTACH_FORMS,
): FunctionAnswers {
  const id = kernelId(kernel);
  return {
    trace: tried(() => jsonOf(traceReport, { kernel: id, questions: [traceQuestion(kernel, text)] })),
    why: tried(() => jsonOf(whyReport, { kernel: id, answers: [kernel.missingBtf(placeIn(text)?.name ?? text, options)] })),
    attach: tried(() => {
      const answers = askedFunctions(kernel, text).map(name => {
        const { functions, ...answer } = kernel.attach(name);
        return { ...answer, functions: functions.map(recipe => writtenRecipe(recipe, forms)) };
      });
      return jsonOf(attachReport(undefined, 'entry'), { kernel: id, answers });
    }),
  };
}

/** The forms whose lines are short: there is a program in C of each function otherwise. */
const SHORT_FORMS = ATTACH_FORMS.filter(form => form !== 'bpf-c');

/** The same, of a function by its name, without what a report has no room for: programs in C, and signatures beside their prototypes. */
export function shortAnswers(kernel: Kernel, name: string, options: MissingBtfOptions): FunctionAnswers {
  const { attach, ...others } = functionAnswers(kernel, name, { ...options, dwarf: false }, SHORT_FORMS);
  return { ...others, attach: 'problem' in attach ? attach : withPrototypes(attach) };
}

function withPrototypes(attach: AttachDocument): AttachDocument {
  return {
    ...attach,
    answers: attach.answers.map(answer => ({
      ...answer,
      functions: answer.functions.map(({ signature, ...recipe }) =>
        signature === undefined ? recipe : { ...recipe, signature: { prototype: signature.prototype, source: signature.source } },
      ),
    })),
  };
}

/** An answer, or why there is none. @throws any error that is no fault of the files: a bug of kelf */
export function tried<T>(answer: () => T): T | Problem {
  try {
    return answer();
  } catch (error) {
    if (isFormatError(error) || error instanceof InputError || error instanceof MissingError) return { problem: error.message };
    throw error;
  }
}

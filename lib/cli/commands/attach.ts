import { Names } from '../../answers/attach/event-names.js';
import { bpfProgram } from '../../answers/attach/forms/bpf-c.js';
import { ATTACH_FORMS, type AttachForm, type Recipe } from '../../answers/attach/recipe.js';
import type { ProbeKind } from '../../answers/attach/recipe-facts.js';
import { askedFunctions } from '../../answers/trace/question.js';
import type { Kernel } from '../../kernel.js';
import { REASONS } from '../../reasons.js';
import { attachReport, type WrittenAttachAnswer, writtenRecipe } from '../../report/attach.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EACH_KERNEL_OPTION, EXIT, NDJSON_OPTION, UsageError } from '../command.js';
import { expandedNames } from '../names.js';
import { expectNames, KERNEL_OPTIONS, MODULES_OPTION, withKernel } from '../with-kernel.js';

export const attach: Command = command({
  usage: 'FILE|--live NAME…|-|--all [--as FORM] [--return] [OPTION…]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Prints, for each function with a given name, the lines that attach a probe to exactly that function, on every boot of this kernel, and that read
its arguments by name: from the prototype in BTF and the calling convention of the architecture. For a refused function: the reason and an
alternative. --as prints the recipe in one form only: a line per function, or for bpf-c one program for all of them. - reads the names from
stdin. NAME+OFFSET and 0xADDRESS are places inside functions. --modules also covers functions in modules, by module (MOD:NAME).`,
  examples: ['vmlinux may_create --as kprobe_events', 'vmlinux - --as bpf-c < names.txt'],
  options: {
    ...KERNEL_OPTIONS,
    kernel: EACH_KERNEL_OPTION,
    ndjson: NDJSON_OPTION,
    modules: MODULES_OPTION,
    as: { type: 'string', value: 'FORM', help: `print only the recipe in one form: ${ATTACH_FORMS.join(', ')}` },
    return: { type: 'boolean', help: 'with --as, probe the return of the function instead of its entry' },
    all: { type: 'boolean', help: 'every function of the kernel, except refused ones' },
  },
  run: ({ args, options, note, write }) => {
    const form = formOf(options.as);
    const kind: ProbeKind = options.return === true ? 'return' : 'entry';
    if (kind === 'return' && form === undefined) throw new UsageError('--return needs a form: --as kprobe_events');
    return withKernel(args, options, note, (kernel, given) => {
      if (options.all !== true) expectNames(given);
      const names = options.all === true ? everyName(kernel) : expandedNames(kernel, given).flatMap(name => askedFunctions(kernel, name));
      const forms = form === undefined ? ATTACH_FORMS : [form];
      const recipes: Recipe[] = [];
      let found = 0;
      let attached = 0;
      const asked = function* (): Generator<WrittenAttachAnswer> {
        const events = Names.ofEvents();
        for (const name of names) {
          const { functions, ...answer } = kernel.attaching.answer(name, events);
          found += functions.length;
          attached += functions.filter(recipe => recipe[kind].outcome === 'accepted').length;
          if (answer.problem !== undefined && form !== undefined) note(`kelf: ${name}: ${answer.problem}`);
          if (form === 'bpf-c') recipes.push(...functions);
          // JSON has the verdicts.
          if (form !== undefined && options.all !== true && options.json !== true)
            for (const recipe of functions) if (recipe[kind].outcome !== 'accepted') note(`kelf: ${refusal(recipe, kind)}`);
          yield { ...answer, functions: functions.map(recipe => writtenRecipe(recipe, forms)) };
        }
      };
      const answers = form === 'bpf-c' ? [...asked()] : asked();
      const program = form === 'bpf-c' && attached > 0 ? { program: bpfProgram(recipes, [kind]) } : {};
      write(attachReport(form, kind), { kernel: kernelId(kernel), answers, ...program });
      if (found === 0) return EXIT.missing;
      return attached === 0 ? EXIT.findings : EXIT.ok;
    });
  },
});

function formOf(text: string | undefined): AttachForm | undefined {
  if (text === undefined) return undefined;
  const form = ATTACH_FORMS.find(name => name === text);
  if (form === undefined) throw new UsageError(`--as: '${text}' is not one of ${ATTACH_FORMS.join(', ')}`);
  return form;
}

/** The names of the functions, each once, in the order of their addresses. */
function everyName({ functions }: Kernel): Set<string> {
  const names = new Set<string>();
  for (let row = 0; row < functions.count; row++) names.add(functions.name(row));
  return names;
}

/** `do_trap: kprobe-blacklisted: the kprobe blacklist covers it; instead: …` */
function refusal({ name, place, instead, ...recipe }: Recipe, kind: ProbeKind): string {
  const { code } = recipe[kind];
  return [`${name} (${place.text}): ${code}: ${REASONS[code]}`, ...instead.map(says => `instead: ${says}`)].join('; ');
}

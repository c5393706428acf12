import { isPlainName } from '../../../../elf/escape.js';
import type { CallingConvention } from '../../../arch/calling-convention.js';
import type { Part } from '../../../arch/pass.js';
import type { Value } from '../../../arch/value.js';
import type { ProbeKind, RecipeFacts } from '../recipe-facts.js';
import type { AttachArgument } from '../signature.js';
import { eventOf } from './kprobe-events.js';
import { attachCall, sectionOf } from './libbpf.js';

/** BPF_KPROBE() of libbpf before 1.2 takes so many. */
const MOST_PARAMETERS = 5;
/** Bytes of the one buffer for strings; a BPF program has 512 of stack. */
const TEXT = 128;

/** A small BPF program in C, for vmlinux.h and libbpf, that prints the arguments of each function: one handler for each recipe and kind. */
export function bpfProgram(recipes: readonly RecipeFacts[], kinds: readonly ProbeKind[]): string {
  const modules = new Set(
    recipes.flatMap(facts => (kinds.some(kind => facts[kind].outcome === 'accepted') ? (facts.place.module ?? []) : [])),
  );
  const [only] = modules;
  // The header of one module has its types and the kernel's; with those of two, the kernel's would be declared twice.
  const header = modules.size === 1 ? `${only}.ko --base KERNEL` : 'KERNEL';
  const handlers = recipes.flatMap(facts => {
    const typed = facts.place.module === undefined || modules.size === 1;
    return kinds.filter(kind => facts[kind].outcome === 'accepted').map(kind => handler(facts, kind, typed));
  });
  const target = recipes[0]?.abi?.bpfTarget;
  const define = target === undefined ? '' : `-D__TARGET_ARCH_${target} `;
  return [
    `/* clang -O2 -g -target bpf ${define}-c THIS.bpf.c; vmlinux.h: kelf btf dump ${header} --format c */`,
    '#include "vmlinux.h"',
    '#include <bpf/bpf_helpers.h>',
    '#include <bpf/bpf_tracing.h>',
    '',
    'char LICENSE[] SEC("license") = "GPL";',
    ...handlers.flatMap(lines => ['', ...lines]),
  ].join('\n');
}

/** A word of the kernel as a register of BPF, which is longer on a machine of 32 bits. */
function word({ wordSize }: CallingConvention): string {
  return wordSize === 4 ? '(unsigned long)kelf_word' : 'kelf_word';
}

/** @param typed whether the header has the types of the parameters */
function handler(facts: RecipeFacts, kind: ProbeKind, typed: boolean): string[] {
  const section = sectionOf(facts, kind);
  const probe = kind === 'entry' ? 'kprobe' : 'kretprobe';
  const body = kind === 'entry' ? entryBody(facts, typed) : returnBody(facts);
  const name = `on_${eventOf(facts, kind)}`;
  const macro = kind === 'entry' ? 'BPF_KPROBE' : 'BPF_KRETPROBE';
  const usesText = body.statements.some(line => line.includes('kelf_text'));
  const usesWord = body.statements.some(line => line.includes('kelf_word'));
  const variables = [
    ...(usesText ? [`\tchar kelf_text[${TEXT}];`] : []),
    ...(usesWord ? [`\tunsigned ${facts.abi?.wordSize === 4 ? 'int' : 'long'} kelf_word;`] : []),
  ];
  return [
    ...(section === undefined ? [`/* ${attachCall(facts, kind)} */`] : []),
    section ?? `SEC("${probe}")`,
    `int ${macro}(${[name, ...body.parameters].join(', ')})`,
    '{',
    ...variables,
    ...(variables.length === 0 ? [] : ['']),
    ...(body.statements.length === 0
      ? [`\tbpf_printk("${isPlainName(facts.name) ? facts.name : facts.event}");`]
      : body.statements.map(line => `\t${line}`)),
    '\treturn 0;',
    '}',
  ];
}

interface Body {
  readonly parameters: readonly string[];
  readonly statements: readonly string[];
}

function entryBody({ abi, signature }: RecipeFacts, typed: boolean): Body {
  if (abi === undefined || signature === undefined) return { parameters: [], statements: [] };
  if (signature.syscall !== undefined) {
    const statements = signature.arguments.flatMap(argument => [
      `bpf_probe_read_kernel(&kelf_word, sizeof(kelf_word), &regs->${argument.field});`,
      ...print(argument.name, textless(argument.value), word(abi)),
    ]);
    return { parameters: signature.arguments.length === 0 ? [] : ['struct pt_regs *regs'], statements };
  }
  // The macro counts registers: it fits as long as each argument takes one.
  const plain =
    abi.macroDiffers === true ? 0 : signature.arguments.findIndex(({ passing, value }, i) => !isPlain(passing?.parts, value, i));
  const count = Math.min(MOST_PARAMETERS, plain < 0 ? signature.arguments.length : plain);
  return {
    parameters: signature.arguments.slice(0, count).map(({ declaration, variable, value }) => {
      return typed ? declaration : `${value.kind === 'pointer' ? 'void *' : 'unsigned long '}${variable}`;
    }),
    statements: signature.arguments.flatMap((argument, i) =>
      i < count ? print(argument.name, argument.value, argument.variable) : fromContext(abi, argument),
    ),
  };
}

function isPlain(parts: readonly Part[] | undefined, value: Value, index: number): boolean {
  const [part] = parts ?? [];
  return parts?.length === 1 && part !== undefined && 'register' in part && part.register === index && value.kind !== 'struct';
}

/** An argument that the macro does not hand over, by its place. */
function fromContext(abi: CallingConvention, { name, value, passing, fetch }: AttachArgument): string[] {
  if (fetch.length === 0 || passing === undefined) return [];
  const { parts, byPointer } = passing;
  const read = (part: Part): string[] =>
    'register' in part
      ? [`kelf_word = ctx->${abi.registers[part.register]!.field};`]
      : [`bpf_probe_read_kernel(&kelf_word, sizeof(kelf_word), (void *)ctx->${abi.stackPointer.field} + ${part.stack * abi.wordSize});`];
  if (byPointer) {
    return [
      ...read(parts[0]!),
      `bpf_probe_read_kernel(&kelf_word, sizeof(kelf_word), (void *)${word(abi)});`,
      `bpf_printk("${name}_0=%lx", ${word(abi)});`,
    ];
  }
  const single = value.kind === 'struct' ? value.only : value;
  if (parts.length === 1 && single !== undefined) return [...read(parts[0]!), ...print(name, single, word(abi))];
  return parts.flatMap((part, i) => [...read(part), `bpf_printk("${name}_${i * abi.wordSize}=%lx", ${word(abi)});`]);
}

function returnBody({ signature }: RecipeFacts): Body {
  if (signature === undefined || signature.result.fetch.length !== 1) return { parameters: [], statements: [] };
  const { value, fetch } = signature.result;
  const single = value.kind === 'struct' ? value.only : value;
  if (single === undefined || fetch[0]!.from === '+0($retval)') {
    return { parameters: ['unsigned long ret'], statements: ['bpf_printk("ret=%lx", ret);'] };
  }
  return { parameters: ['unsigned long ret'], statements: print('ret', single, 'ret') };
}

/** Room that a system call writes a string to is no string yet. */
function textless(value: Value): Value {
  return value.kind === 'pointer' && value.to === 'char' && !value.constant ? { ...value, to: 'other' } : value;
}

function print(name: string, value: Value, expression: string): string[] {
  if (value.kind === 'pointer') {
    if (value.to !== 'char') return [`bpf_printk("${name}=%lx", (unsigned long)${expression});`];
    const read = value.user ? 'bpf_probe_read_user_str' : 'bpf_probe_read_kernel_str';
    return [`${read}(kelf_text, sizeof(kelf_text), (const void *)${expression});`, `bpf_printk("${name}=%s", kelf_text);`];
  }
  if (value.kind !== 'integer') return [`bpf_printk("${name}=%lx", (unsigned long)${expression});`];
  const { size, signed, hex } = value;
  const wide = size > 4;
  const type = `${signed ? '' : 'unsigned '}${wide ? 'long' : size > 2 ? 'int' : size > 1 ? 'short' : 'char'}`;
  const cast = size === 1 && signed ? 'signed char' : type;
  return [`bpf_printk("${name}=%${wide ? 'l' : ''}${hex ? 'x' : signed ? 'd' : 'u'}", (${cast})${expression});`];
}

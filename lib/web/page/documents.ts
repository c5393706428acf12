import type { SymbolsDocument } from '../page-data.js';
import type { Context } from './context.js';
import { type Child, code, facts, h, section } from './dom.js';
import { pagedTable } from './table.js';

/** What `kelf module --functions --json` prints, as far as it is shown. */
interface ModuleDocument {
  readonly modules: readonly {
    readonly name: string;
    readonly modinfo: Readonly<Record<string, readonly string[]>>;
    readonly depends: readonly string[];
    readonly buildId?: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly functions: readonly {
      readonly name: string;
      readonly section: string;
      readonly offset: number;
      readonly size: number;
      readonly phase: string;
      readonly site?: unknown;
      readonly blacklist?: unknown;
      readonly btf: readonly number[];
    }[];
  }[];
}

/** A module by itself. */
export async function moduleView({ store, subject }: Context): Promise<Child[]> {
  const { modules } = await store.load<ModuleDocument>(subject, 'document');
  const { name, modinfo, depends, buildId, counts, functions } = modules[0]!;
  const info = ['description', 'version', 'license', 'vermagic'].flatMap(tag =>
    modinfo[tag]?.[0] === undefined ? [] : [[tag, modinfo[tag][0]] as const],
  );
  return [
    h('h1', {}, `module ${name}`),
    facts([
      ...info,
      ['depends on', depends.length === 0 ? 'nothing' : depends.join(', ')],
      ...(buildId === undefined ? [] : [['build id', code(buildId)] as const]),
      ...Object.entries(counts).map(([what, count]) => [what, count] as const),
    ]),
    section(
      'Functions',
      paged(
        'Functions of the module',
        ['name', 'place', 'bytes', 'what ftrace, BTF and kprobes have'],
        functions.map(row => [
          code(row.name),
          `${row.section}+0x${row.offset.toString(16)}`,
          row.size,
          [
            row.site === undefined ? 'no ftrace site' : 'ftrace site',
            row.btf.length === 0 ? 'no BTF' : 'BTF',
            ...(row.blacklist === undefined ? [] : ['kprobes refuse it']),
            ...(row.phase === 'core' ? [] : [row.phase]),
          ].join(', '),
        ]),
      ),
    ),
  ];
}

/** What `kelf bpf show --json` prints, as far as it is shown. */
interface ObjectDocument {
  readonly file: string;
  readonly license?: string;
  readonly problems: readonly string[];
  readonly programs: readonly {
    readonly name: string;
    readonly section: string;
    readonly type?: string;
    readonly target?: string;
    readonly totalInstructionCount: number;
  }[];
  readonly maps: readonly {
    readonly name: string;
    readonly type: string;
    readonly keySize: number;
    readonly valueSize: number;
    readonly maxEntries: number;
  }[];
}

/** A BPF object by itself. */
export async function objectView({ store, subject }: Context): Promise<Child[]> {
  const { file, license, problems, programs, maps } = await store.load<ObjectDocument>(subject, 'document');
  return [
    h('h1', {}, `BPF object ${file}`),
    facts([['license', license ?? 'none']]),
    ...problems.map(problem => h('p', { class: 'note' }, problem)),
    section(
      'Programs',
      paged(
        'Programs',
        ['name', 'section', 'type', 'target', 'instructions'],
        programs.map(({ name, section: part, type, target, totalInstructionCount }) => [
          code(name),
          code(part),
          type ?? '',
          target ?? '',
          totalInstructionCount,
        ]),
      ),
    ),
    section(
      'Maps',
      paged(
        'Maps',
        ['name', 'type', 'key bytes', 'value bytes', 'entries'],
        maps.map(map => [code(map.name), map.type, map.keySize, map.valueSize, map.maxEntries]),
      ),
    ),
  ];
}

/** A list of symbols without its kernel. */
export async function symbolsView({ store, subject }: Context): Promise<Child[]> {
  const { name, count, text, duplicates } = await store.load<SymbolsDocument>(subject, 'document');
  return [
    h('h1', {}, name),
    h('p', { class: 'note' }, 'A list of symbols alone: with the BTF of its kernel beside it, or its image, more can be told.'),
    facts([
      ['symbols', count],
      ['of text', text],
      ['names that several of text share', duplicates.length],
    ]),
    section(
      'Names that several share',
      paged(
        'Names that several share',
        ['name', 'how many', 'addresses'],
        duplicates.map(each => [code(each.name), each.addresses.length, code(each.addresses.slice(0, 6).join(', '))]),
      ),
    ),
  ];
}

/** Rows that are at hand, a page at a time. */
function paged(label: string, titles: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  const table = h('div');
  const show = (from: number): void =>
    table.replaceChildren(
      ...(pagedTable(
        label,
        titles.map(title => ({ title })),
        Array.from(rows.keys()),
        row => rows[row]!,
        { sort: '', from },
        change => show(change.from ?? 0),
      ) as Node[]),
    );
  show(0);
  return table;
}

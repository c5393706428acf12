import { EM } from '../../elf/constants.js';
import { isFormatError } from '../../elf/errors.js';
import { printable } from '../../elf/escape.js';
import { isElf, readHeader } from '../../elf/header.js';
import type { ByteSource } from '../../elf/source.js';
import { isTextLetter, type KernelSymbols } from '../../kallsyms/symbols.js';
import { parseKallsyms } from '../../kallsyms/text.js';
import { moduleLists, moduleSummary } from '../answers/module.js';
import { describeObject } from '../bpf/describe-object.js';
import { type FoundObject, objectsIn } from '../bpf/preflight/inputs.js';
import { LIBBPF } from '../bpf/preflight/loaders.js';
import { NOT_TOLD } from '../bpf/preflight/preflight.js';
import { InputError, MissingError } from '../errors.js';
import { diffKernels } from '../fleet/diff/diff-kernels.js';
import { kernelsIn } from '../image/unwrap.js';
import type { Kernel } from '../kernel.js';
import { checksOf } from '../open/bpf-objects.js';
import { openInput } from '../open/input.js';
import { openKernel } from '../open/open-kernel.js';
import { openModule } from '../open/open-module.js';
import { bpfCheckReport } from '../report/bpf-check.js';
import { bpfShowReport } from '../report/bpf-show.js';
import { diffReport } from '../report/diff.js';
import { moduleReport } from '../report/module.js';
import { kernelId } from '../report/report.js';
import { jsonOf } from './json-of.js';
import { type PartOf, partsOf } from './kernel-parts.js';
import type { Json, Opened, Subject, SymbolsDocument } from './page-data.js';

/** A file that was dropped on the page. */
export interface GivenFile {
  readonly name: string;
  readonly blob: Blob;
}

interface KernelSubject {
  readonly subject: Subject;
  readonly input: Blob | ByteSource;
  readonly kernel: Kernel;
  readonly part: PartOf;
}

/** What is in a file, as far as its beginning and its name tell. */
type FileKind = 'symbols' | 'config' | 'module' | 'object' | 'image';

/** Bytes from the beginning of a file that tell what it is. */
const START = 4096;
const SYMBOL_LINE = /^[0-9a-f]{8,16} [a-zA-Z?] \S/m;
const CONFIG_LINE = /^(?:# )?CONFIG_[A-Z0-9_]+(?:=| is not set)/m;
/** ET_REL of elf(5). */
const ET_REL = 1;

/** What a page has open: kernels, BPF objects, modules, and what is asked of several. */
export class Session {
  readonly #kernels: KernelSubject[] = [];
  readonly #objects: FoundObject[] = [];
  readonly #documents = new Map<string, { readonly subject: Subject; readonly make: () => unknown }>();
  #count = 0;

  /** Opens files: kernels first, which symbols and a .config belong to. */
  async open(files: readonly GivenFile[]): Promise<Opened> {
    const problems: string[] = [];
    const sorted = await Promise.all(files.map(async file => ({ file, kind: await kindOf(file) })));
    const rank: readonly FileKind[] = ['image', 'module', 'object', 'config', 'symbols'];
    for (const { file, kind } of sorted.sort((a, b) => rank.indexOf(a.kind) - rank.indexOf(b.kind))) {
      try {
        await this.#openOne(file, kind);
      } catch (error) {
        problems.push(sentenceOf(error));
      }
    }
    return { subjects: this.subjects, problems };
  }

  /** What there is to look at, what is asked of several kernels behind them. */
  get subjects(): Subject[] {
    const kernels = this.#kernels.map(({ subject }) => subject);
    const pairs = this.#kernels.slice(1).map((now, i): Subject => {
      const old = this.#kernels[i]!;
      return { id: `diff-${old.subject.id}-${now.subject.id}`, kind: 'diff', title: `${old.subject.title} → ${now.subject.title}` };
    });
    const check: Subject[] =
      this.#objects.length > 0 && kernels.length > 0 ? [{ id: 'check', kind: 'check', title: 'BPF objects on kernels' }] : [];
    return [...kernels, ...Array.from(this.#documents.values(), ({ subject }) => subject), ...pairs, ...check];
  }

  /** A part of a subject. @throws MissingError, InputError or FormatError where there is none */
  async load(id: string, part: string): Promise<unknown> {
    const kernel = this.#kernels.find(({ subject }) => subject.id === id);
    if (kernel !== undefined) return kernel.part(part);
    const document = this.#documents.get(id);
    if (document !== undefined) return document.make();
    if (id === 'check') return this.#check();
    const [, old, now] = /^diff-([^-]+)-([^-]+)$/.exec(id) ?? [];
    const [one, other] = [old, now].map(each => this.#kernels.find(({ subject }) => subject.id === each)?.kernel);
    if (one === undefined || other === undefined) throw new MissingError('it is not open any more');
    return diffDocument(one, other);
  }

  async #openOne(file: GivenFile, kind: FileKind): Promise<void> {
    switch (kind) {
      case 'symbols':
        return this.#openSymbols(file);
      case 'config':
        return this.#addConfig(file);
      case 'module':
        return this.#openModule(file);
      case 'object':
        return this.#openObjects(file);
      default:
        return this.#openImages(file);
    }
  }

  /** A kernel, the kernels of an archive, or where it is none, what else it has in it. */
  async #openImages(file: GivenFile): Promise<void> {
    const source = await openInput(file.blob, { name: file.name });
    try {
      for (const input of kernelsIn(source)) await this.#addKernel(input === source ? file.blob : input, file.name);
    } catch (error) {
      if (!isFormatError(error)) throw error;
      // A program, maybe, that has BPF objects in it.
      const { objects } = objectsIn(source, file.name);
      if (objects.length === 0) throw error;
      this.#addObjects(file.name, objects);
    }
  }

  async #addKernel(input: Blob | ByteSource, name: string): Promise<void> {
    const kernel = await openKernel(input, { name: input instanceof Blob ? name : input.name });
    const id = this.#newId();
    // A file may have neither: then it says so for each question.
    const title = kernel.release ?? kernel.name;
    this.#kernels.push({ subject: { id, kind: 'kernel', title: this.#unique(title) }, input, kernel, part: partsOf(kernel) });
  }

  #unique(title: string): string {
    const same = this.#kernels.filter(({ subject }) => subject.title === title || subject.title.startsWith(`${title} (`)).length;
    return same === 0 ? title : `${title} (${same + 1})`;
  }

  /** Symbols are those of the last kernel that has none; where all have some, something to look at. */
  async #openSymbols(file: GivenFile): Promise<void> {
    const at = this.#kernels.findLastIndex(({ kernel }) => kernel.symbolsMissing !== undefined);
    if (at >= 0) return this.#reopen(at, { symbols: file.blob });
    const source = await openInput(file.blob, { name: file.name });
    const symbols = parseKallsyms(source.read(0, source.size), file.name);
    this.#addDocument({ kind: 'symbols', title: file.name }, () => symbolsDocument(file.name, symbols));
  }

  /** A .config is that of the last kernel. */
  async #addConfig(file: GivenFile): Promise<void> {
    if (this.#kernels.length === 0) throw new MissingError(`${file.name}: a .config is read beside its kernel: open that first`);
    return this.#reopen(this.#kernels.length - 1, { config: file.blob });
  }

  async #reopen(at: number, beside: { readonly symbols?: Blob; readonly config?: Blob }): Promise<void> {
    const { input, subject, kernel: before } = this.#kernels[at]!;
    const kernel = await openKernel(input, { name: before.name, ...beside });
    this.#kernels[at] = { subject: { ...subject, id: this.#newId() }, input, kernel, part: partsOf(kernel) };
  }

  async #openModule(file: GivenFile): Promise<void> {
    const module = await openModule(file.blob, { name: file.name });
    const title = module.name;
    const lists = moduleLists(module);
    this.#addDocument({ kind: 'module', title }, () =>
      jsonOf(moduleReport(false), { modules: [{ ...moduleSummary(module), functions: lists.functions() }] }),
    );
  }

  async #openObjects(file: GivenFile): Promise<void> {
    const { objects, notes } = objectsIn(await openInput(file.blob, { name: file.name }), file.name);
    if (objects.length === 0) throw new MissingError(notes.join('; '));
    this.#addObjects(file.name, objects);
  }

  #addObjects(name: string, objects: readonly FoundObject[]): void {
    const [first] = objects;
    if (objects.length === 1 && first!.object === undefined) throw new InputError(name, 'damaged', first!.problem);
    this.#objects.push(...objects);
    for (const { object, offset } of objects) {
      const title = offset === 0 ? name : `${name}+0x${offset.toString(16)}`;
      if (object !== undefined)
        this.#addDocument({ kind: 'object', title }, () =>
          jsonOf(bpfShowReport({ core: true, relocs: false }), { file: name, ...describeObject(object) }),
        );
    }
  }

  #addDocument(subject: Omit<Subject, 'id'>, make: () => unknown): void {
    const id = this.#newId();
    this.#documents.set(id, { subject: { id, ...subject }, make });
  }

  #newId(): string {
    return String(++this.#count);
  }

  #check(): Json {
    const columns = this.#kernels.map(({ kernel }) => {
      const id = kernelId(kernel);
      return checksOf(kernel, this.#objects, LIBBPF).map(check => ({ kernel: id, ...check }));
    });
    const objects = this.#objects.map(({ path, offset }, i) => ({ path, offset, kernels: columns.map(checks => checks[i]!) }));
    return jsonOf(bpfCheckReport, { loader: LIBBPF.name, objects, notTold: NOT_TOLD });
  }
}

/** What `kelf diff OLD NEW --json` prints. */
async function diffDocument(old: Kernel, now: Kernel): Promise<Json> {
  const found = await diffKernels(old, now);
  return jsonOf(diffReport, { old: kernelId(old), new: kernelId(now), ...found, most: Number.POSITIVE_INFINITY });
}

function symbolsDocument(name: string, symbols: KernelSymbols): SymbolsDocument {
  let text = 0;
  for (const letter of symbols.type) if (isTextLetter(letter)) text++;
  const duplicates = Array.from(symbols.index.repeated(), first => {
    const rows = symbols.index.rowsFrom(first).filter(row => isTextLetter(symbols.type[row]!));
    return { name: symbols.name(first), addresses: [...new Set(rows.map(row => `0x${symbols.address.big[row]!.toString(16)}`))] };
  }).filter(({ addresses }) => addresses.length > 1);
  return { name, count: symbols.count, text, duplicates: duplicates.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

async function kindOf({ name, blob }: GivenFile): Promise<FileKind> {
  const start = new Uint8Array(await blob.slice(0, START).arrayBuffer());
  if (isElf(start)) return elfKind(await openInput(blob, { name }));
  if (/\.ko(\.\w+)?$/.test(name)) return 'module';
  const text = new TextDecoder().decode(start);
  if (text.includes('\0')) return 'image';
  return SYMBOL_LINE.test(text) ? 'symbols' : CONFIG_LINE.test(text) ? 'config' : 'image';
}

function elfKind(source: ByteSource): FileKind {
  try {
    const { machine, type } = readHeader(source);
    return machine === EM.BPF ? 'object' : type === ET_REL ? 'module' : 'image';
  } catch (error) {
    // Opening it says what is wrong.
    if (!isFormatError(error)) throw error;
    return 'image';
  }
}

/** What is told of an error: of files in their words, of kelf itself as a fault of it. */
export function sentenceOf(error: unknown): string {
  if (isFormatError(error) || error instanceof InputError || error instanceof MissingError) return printable(error.message);
  return `a fault of kelf, not of the file: ${printable(error instanceof Error ? error.message : String(error))}`;
}

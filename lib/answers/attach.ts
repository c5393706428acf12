import type { Abi } from '../abi/abi.js';
import { abiOf } from '../abi/of-machine.js';
import { type Clone, cloneOf } from '../attach/clones.js';
import { insteadOf } from '../attach/instead.js';
import { Names } from '../attach/names.js';
import { placeOfAddress, placeOfName } from '../attach/place.js';
import { Recipe } from '../attach/recipe.js';
import { type Signature, Signatures } from '../attach/signature.js';
import { Syscalls } from '../attach/syscalls.js';
import type { Verdict } from '../evidence.js';
import { type FunctionRow, functionRow } from '../function-row.js';
import type { Kernel } from '../kernel.js';

/** How to attach to each function of a name. */
export interface AttachAnswer {
  readonly name: string;
  /** Lowest address first. */
  readonly functions: readonly Recipe[];
}

/** Recipes for one kernel: what is needed for all of them is read once. */
export class Attaching {
  readonly #kernel: Kernel;
  /** The calling convention; undefined for architectures without a table. */
  readonly abi: Abi | undefined;
  #signatures: Signatures | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    // A running kernel's files are of the machine that reads them.
    const { wordSize = 8, littleEndian = true } = kernel.image?.memory ?? {};
    this.abi = abiOf(kernel.machine, wordSize, littleEndian);
    if (this.abi !== undefined) this.#signatures = new Signatures(kernel, this.abi, new Syscalls(kernel), littleEndian);
  }

  /** The recipes of a name. @param names where the events' names are not to meet those of other answers */
  answer(name: string, names: Names = Names.ofEvents()): AttachAnswer {
    const rows = this.#kernel.functions.find(name).map(row => functionRow(this.#kernel, row));
    return { name, functions: rows.map((row, i) => this.#recipe(row, names.take(rows.length > 1 ? `${name}_${i + 1}` : name, ''))) };
  }

  /** The recipe for one function. Its event has the name that it has among all functions of its name. */
  recipe(row: FunctionRow): Recipe {
    const rows = this.#kernel.functions.find(row.name);
    return this.#recipe(row, Names.ofEvents().take(rows.length > 1 ? `${row.name}_${rows.indexOf(row.row) + 1}` : row.name));
  }

  #recipe(row: FunctionRow, event: string): Recipe {
    const kernel = this.#kernel;
    const { name, address } = row;
    const { kprobe, kretprobe, functions, fentry } = kernel.traceability(name);
    const own = functions.find(({ function: other }) => other.row === row.row)!;
    const alone = kernel.symbols.find(name).length === 1;
    const place = alone ? placeOfName(name) : placeOfAddress(kernel, address);
    const clone = cloneOf(name);
    const notes: string[] = clone === undefined ? [] : [clone.says];
    if (!place.everyBoot)
      notes.push('no symbol to count from: the address is that of the image, and holds where it is not moved (nokaslr)');
    const signature = this.#signatureOf(row, clone, notes);
    const entry: Verdict = alone ? kprobe.byName : own.kprobe;
    const returned: Verdict = alone ? kretprobe.byName : own.kretprobe;
    const first = functions[0]!.function.row === row.row;
    const others = {
      name,
      ftrace: own.ftrace.ok === true,
      kprobeMulti: kernel.tracing.hasMulti,
      fentry: first && fentry.attach.ok === true,
    };
    const instead = entry.ok === true ? (returned.ok === true ? [] : insteadOf(returned.code, others)) : insteadOf(entry.code, others);
    return new Recipe({ name, event, function: row, place, entry, return: returned, clone, abi: this.abi, signature, notes, instead });
  }

  /** How the function is called, by BTF's FUNC of its name, of the name without a suffix that changes nothing, or of another name for the same code. */
  #signatureOf(row: FunctionRow, clone: Clone | undefined, notes: string[]): Signature | undefined {
    const { btf, btfSource, functions, symbols } = this.#kernel;
    if (this.#signatures === undefined) {
      notes.push('the calling convention of this architecture is not known to kelf: arguments are not read');
      return undefined;
    }
    if (clone !== undefined && !clone.keepsArguments) {
      notes.push(`its arguments are not those of ${clone.base}, and are not read`);
      return undefined;
    }
    if (btf === undefined) {
      const wrapper = this.#signatures.ofWrapper(row.name);
      if (wrapper === undefined) notes.push('there is no BTF to tell its arguments');
      return wrapper;
    }
    const named = clone === undefined ? row.btf : btf.find(clone.base, 'FUNC');
    const alias = named.length > 0 ? undefined : functions.withBtfAt(symbols.firstAlias(functions.symbolRow[row.row]!));
    const ids = alias === undefined ? named : functions.btfIds(alias);
    if (ids.length === 0) {
      const wrapper = this.#signatures.ofWrapper(row.name);
      if (wrapper === undefined) notes.push(`BTF has no FUNC of it: its arguments are not known ('kelf why' says why)`);
      return wrapper;
    }
    if (alias !== undefined) notes.push(`BTF has it by another name, ${functions.name(alias)}`);
    const prototypes = new Set(ids.map(id => btf.prototype(id)));
    if (prototypes.size > 1) {
      notes.push(`BTF has ${prototypes.size} prototypes of the name, and does not tell which function each is of: arguments are not read`);
      return undefined;
    }
    const bearers = functions.find(alias === undefined ? (clone?.base ?? row.name) : functions.name(alias)).length;
    if (bearers > 1) notes.push(`BTF has one prototype for ${bearers} functions of the name: that it is this one's is likely, not certain`);
    return this.#signatures.ofBtf(btf, ids[0]!, btfSource!);
  }
}

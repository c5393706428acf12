import type { Subject } from '../page-data.js';
import { linkTo } from './context.js';
import { button, type Child, h, on, sentence } from './dom.js';
import { Cancelled, type WorkerStore } from './store.js';

/** What the site has open, and how it gets more. */
export class Site {
  subjects: readonly Subject[] = [];
  readonly #store: WorkerStore;
  readonly #changed: () => void;
  #problems: readonly string[] = [];
  #state: string | undefined;

  /** @param changed is called when there is something else to show */
  constructor(store: WorkerStore, changed: () => void) {
    this.#store = store;
    this.#changed = changed;
    addEventListener('dragover', event => event.preventDefault());
    addEventListener('drop', event => {
      event.preventDefault();
      void this.open([...(event.dataTransfer?.files ?? [])]);
    });
  }

  /** Opens files, and goes to what is new of what they have in common, else to the first of them. */
  async open(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    const known = new Set(this.subjects.map(({ id }) => id));
    this.#state = `Reading ${files.map(({ name, size }) => `${name} (${(size / 1e6).toFixed(1)} MB)`).join(', ')} …`;
    this.#problems = [];
    this.#changed();
    try {
      const { subjects, problems } = await this.#store.open(files);
      this.subjects = subjects;
      this.#problems = problems;
    } catch (error) {
      this.#problems = [error instanceof Cancelled ? 'Cancelled: nothing is open.' : (error as Error).message];
    }
    this.#state = undefined;
    const added = this.subjects.filter(({ id }) => !known.has(id));
    const first = added.find(({ kind }) => kind === 'check') ?? added.find(({ kind }) => kind === 'diff') ?? added[0];
    const next = first !== undefined && this.#problems.length === 0 ? linkTo(first, '') : '#/';
    // Shown once: what somebody types into the head meanwhile stays there.
    if (location.hash === next) this.#changed();
    else location.hash = next;
  }

  /** Ends what goes on. */
  cancel(): void {
    this.#store.cancel();
    this.subjects = [];
  }

  /** Where files are dropped and chosen, and what is open. */
  view(): Child[] {
    const input = h('input', { type: 'file', multiple: '', id: 'files' }) as HTMLInputElement;
    on(input, 'change', () => void this.open([...(input.files ?? [])]));
    return [
      h('h1', {}, 'Look into a kernel'),
      h(
        'div',
        { class: 'drop' },
        h('p', {}, 'Drop files here, or choose them:'),
        h('label', { for: 'files' }, 'A vmlinux, vmlinuz, module, BTF, BPF object, /proc/kallsyms or System.map '),
        input,
        h(
          'p',
          { class: 'dim' },
          'Two kernels are compared. BPF objects are checked on the kernels beside them. BTF alone gets its symbols from a System.map.',
        ),
      ),
      h('p', { class: 'dim' }, 'The files stay in this browser: the page asks for nothing, and its policy forbids it.'),
      ...(this.#state === undefined ? [] : [busy(this.#state, () => this.cancel())]),
      ...this.#problems.map(problem => h('p', { class: 'problem', role: 'alert' }, problem)),
      ...(this.subjects.length === 0 ? [] : [h('h2', {}, 'Open')]),
      h(
        'ul',
        {},
        ...this.subjects.map(subject =>
          h('li', {}, h('a', { href: linkTo(subject, '') }, subject.title), h('span', { class: 'dim' }, ` ${KINDS[subject.kind]}`)),
        ),
      ),
      this.subjects.length === 0 ? sentence('Nothing is open yet.') : undefined,
    ];
  }
}

const KINDS: Readonly<Record<Subject['kind'], string>> = {
  kernel: 'kernel',
  diff: 'what differs',
  check: 'would they load and attach?',
  module: 'module',
  object: 'BPF object',
  symbols: 'symbols',
};

/** What goes on, and a button that ends it. */
export function busy(text: string, cancel: () => void): HTMLElement {
  return h('div', { class: 'busy', role: 'status' }, h('progress', { 'aria-label': text }), h('span', {}, text), button('Cancel', cancel));
}

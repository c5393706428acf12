import type { Subject, SubjectKind } from '../page-data.js';
import { checkView } from './check.js';
import { type Context, functionLink, linkTo } from './context.js';
import { diffView } from './diff.js';
import { moduleView, objectView, symbolsView } from './documents.js';
import { button, type Child, h, sentence } from './dom.js';
import { duplicatesView } from './duplicates.js';
import { functionView } from './function.js';
import { functionsView } from './functions.js';
import { overviewView } from './overview.js';
import { placesView } from './places.js';
import { busy, Site } from './site.js';
import { sourcesView } from './sources.js';
import { Cancelled, inlined, ReportStore, type Store, WorkerStore } from './store.js';
import { structsView, structView } from './structs.js';

/*
 * The page: a report, which has its data inlined, or the site, which has a worker that reads files. The address after `#` names a subject, a view of it,
 * and what the view is asked. Views are functions of the parts of a subject; they give nodes, which are put into the document here.
 */

type View = (context: Context) => Promise<Child[]>;

/** The views of each kind of subject by their names in the address; the first, without a name, is its own page. */
const VIEWS: Readonly<Record<SubjectKind, Readonly<Record<string, readonly [title: string, view: View]>>>> = {
  kernel: {
    '': ['Overview', overviewView],
    functions: ['Functions', functionsView],
    sources: ['Directories', sourcesView],
    places: ['Places', placesView],
    duplicates: ['Shared names', duplicatesView],
    structs: ['Structs', structsView],
  },
  diff: { '': ['Differences', diffView] },
  check: { '': ['Objects on kernels', checkView] },
  module: { '': ['Module', moduleView] },
  object: { '': ['Object', objectView] },
  symbols: { '': ['Symbols', symbolsView] },
};

/** Views of one thing, which is named behind them. */
const NAMED: Readonly<Record<string, View>> = { function: functionView, struct: structView };

/** How long something takes before it is told of. */
const PATIENCE = 150;

class Page {
  readonly #store: Store;
  readonly #site: Site | undefined;
  readonly #subjects: readonly Subject[];
  readonly #head = document.getElementById('head')!;
  readonly #view = document.getElementById('view')!;
  /** Counts what is shown: what comes late for what is not shown any more is dropped. */
  #turn = 0;

  constructor(store: Store, subjects: readonly Subject[]) {
    this.#store = store;
    this.#subjects = subjects;
    if (store instanceof WorkerStore) this.#site = new Site(store, () => void this.show());
    addEventListener('hashchange', () => {
      void this.show().then(() => {
        this.#view.focus();
        scrollTo(0, 0);
      });
    });
  }

  async show(): Promise<void> {
    const turn = ++this.#turn;
    const [path = '', query = ''] = location.hash.slice(1).split('?');
    const [, id = '', view = '', ...rest] = path.split('/');
    const subjects = this.#site?.subjects ?? this.#subjects;
    const subject = subjects.find(each => each.id === id) ?? (this.#site === undefined ? subjects[0] : undefined);
    this.#head.replaceChildren(...this.#navigation(subjects, subject, view));
    if (subject === undefined) return this.#put(this.#site!.view());
    const wait = setTimeout(
      () => this.#put([this.#site === undefined ? sentence('Unpacking …') : busy('Working …', () => this.#site!.cancel())]),
      PATIENCE,
    );
    try {
      const name = decoded(rest.join('/'));
      const asked = new URLSearchParams(query);
      const found = name === '' ? VIEWS[subject.kind][view]?.[1] : NAMED[view];
      if (found === undefined) throw new Error('The address names nothing that is here.');
      const remember: Context['remember'] = values => {
        const base = `#/${id}/${view}`;
        history.replaceState(
          null,
          '',
          `${base}?${new URLSearchParams(Object.entries(values).map(([key, value]) => [key, String(value)]))}`,
        );
      };
      const children = await found({ subject, store: this.#store, name, query: asked, remember });
      if (turn === this.#turn) this.#put(children);
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof Cancelled) location.hash = '#/';
      this.#put([h('h1', {}, 'It can’t be shown'), sentence(error instanceof Error ? error.message : String(error))]);
    } finally {
      clearTimeout(wait);
    }
  }

  #put(children: readonly Child[]): void {
    this.#view.replaceChildren(...h('div', {}, ...children).childNodes);
    document.title = `${this.#view.querySelector('h1')?.textContent ?? 'kelf'} - kelf`;
  }

  #navigation(subjects: readonly Subject[], subject: Subject | undefined, view: string): Node[] {
    const link = (text: string, href: string, current: boolean): HTMLElement =>
      h('a', { href, ...(current ? { 'aria-current': 'page' } : {}) }, text);
    const views = subject === undefined ? [] : Object.entries(VIEWS[subject.kind]);
    return [
      ...(this.#site === undefined
        ? []
        : [
            h(
              'nav',
              { 'aria-label': 'Open files' },
              link('Files', '#/', subject === undefined),
              ...subjects.map(each => link(each.title, linkTo(each, ''), each === subject)),
            ),
          ]),
      ...(views.length < 2
        ? []
        : [h('nav', { 'aria-label': 'Views' }, ...views.map(([name, [title]]) => link(title, linkTo(subject!, name), name === view)))]),
      ...(subject?.kind === 'kernel' ? [askForm(subject)] : []),
    ];
  }
}

/** Asks for a function, or on the site for a place, a tracepoint or a system call. */
function askForm(subject: Subject): HTMLElement {
  const input = h('input', { type: 'search', name: 'name', spellcheck: 'false', autocomplete: 'off' }) as HTMLInputElement;
  const form = h(
    'form',
    { role: 'search' },
    h('label', {}, 'Function ', input),
    button('Ask', () => form.requestSubmit()),
  ) as HTMLFormElement;
  form.addEventListener('submit', event => {
    event.preventDefault();
    if (input.value.trim() !== '') location.hash = functionLink(subject, input.value.trim());
  });
  return form;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function start(): Promise<void> {
  const view = document.getElementById('view')!;
  try {
    const subjects = await inlined('subjects');
    const store = subjects === undefined ? new WorkerStore((await inlined('worker')) ?? '') : new ReportStore();
    await new Page(store, subjects === undefined ? [] : (JSON.parse(subjects) as Subject[])).show();
  } catch (error) {
    view.replaceChildren(sentence(`The page can’t be shown: ${error instanceof Error ? error.message : String(error)}`));
  }
}

void start();

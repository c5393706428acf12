/** The style of the page: the colours of the system, light or dark, and a form for paper. */
export const STYLE = `
:root { color-scheme: light dark; --ok: light-dark(#187043, #4cc38a); --no: light-dark(#b3372b, #f2867b); --open: light-dark(#7d5800, #e0b040); --line: light-dark(#d0d4da, #3a4048); --soft: light-dark(#f3f5f8, #1d2127); --link: light-dark(#0a58ca, #7cb2ff); --dim: light-dark(#565d66, #a5adb8); --text: light-dark(#16191d, #e6e9ed); --bar: light-dark(#5b7fb5, #6f93c9); }
body { margin: 0 auto; max-width: 80rem; padding: 0 1rem 3rem; font: 16px/1.45 system-ui, sans-serif; background: light-dark(#fff, #14171b); color: var(--text); }
header { display: grid; gap: .5rem; padding: .75rem 0; border-bottom: 1px solid var(--line); }
header:empty { display: none; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
nav a[aria-current] { font-weight: 600; text-decoration: none; color: var(--text); }
a { color: var(--link); }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; }
main:focus { outline: none; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; overflow-wrap: anywhere; }
h3 { font-size: .95rem; margin: 1rem 0 .25rem; }
code, pre, td.code, th.code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
.dim { color: var(--dim); }
.note { border-left: 3px solid var(--open); padding-left: .75rem; }
.problem { border-left: 3px solid var(--no); padding-left: .75rem; }
.prototype { background: var(--soft); padding: .5rem .75rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
table.facts { width: auto; }
.facts code { overflow-wrap: break-word; }
td.code span { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.scroll { overflow-x: auto; }
th button { all: unset; cursor: pointer; font-weight: 600; text-decoration: underline dotted; }
th button:focus-visible { outline: 2px solid var(--link); }
.bars { display: grid; grid-template-columns: minmax(9rem, 20rem) 1fr 4.5rem; gap: .4rem .75rem; align-items: center; }
.bars svg, .shares svg { width: 100%; height: 1rem; background: var(--soft); display: block; }
.mechanisms { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1rem; align-items: center; }
.shares { display: grid; grid-template-columns: 1fr 23rem; gap: .75rem; align-items: center; }
.accepted { color: var(--ok); fill: var(--ok); }
.refused { color: var(--no); fill: var(--no); }
.open { color: var(--open); fill: var(--open); }
.bar { fill: var(--bar); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; }
.key::before { content: ''; display: inline-block; width: .8em; height: .8em; margin-right: .4em; background: currentColor; }
.tools { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin: 1rem 0; }
span.tools { margin: 0; }
.tools label { display: grid; gap: .2rem; font-size: .85rem; }
input, select, .tools button, form button, .busy button, .copyable button { font: inherit; padding: .3rem .5rem; max-width: 100%; }
.drop { border: 2px dashed var(--line); border-radius: .5rem; padding: 1.5rem; text-align: center; }
.drop label { display: block; margin-bottom: .5rem; }
.busy { display: flex; gap: 1rem; align-items: center; margin: 1rem 0; }
.copyable > div { display: flex; gap: .5rem; align-items: start; margin: .25rem 0; }
.copyable pre { margin: 0; padding: .35rem .6rem; background: var(--soft); overflow-x: auto; flex: 1; white-space: pre-wrap; overflow-wrap: anywhere; }
.evidence { margin: .25rem 0; }
.evidence li { overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
figcaption { margin-bottom: .25rem; }
svg text { fill: var(--text); font-size: 13px; }
svg.strip, svg.treemap, svg.struct { width: 100%; height: auto; display: block; }
svg.strip { background: var(--soft); }
svg.treemap rect { stroke: light-dark(#fff, #14171b); stroke-width: 1.5; }
svg.treemap text, svg.struct g text { pointer-events: none; }
svg.treemap text { fill: #16191d; font-size: 13px; font-weight: 600; }
svg.treemap text.small { font-size: 12px; font-weight: 400; }
.share0 { fill: #e9a39b; color: #e9a39b; } .share1 { fill: #efc39b; color: #efc39b; } .share2 { fill: #ecdc9c; color: #ecdc9c; } .share3 { fill: #c4dd9f; color: #c4dd9f; } .share4 { fill: #93cfa6; color: #93cfa6; }
.key.share0, .key.share1, .key.share2, .key.share3, .key.share4, .key.member, .key.bits, .key.unused { color: var(--text); }
.key.share0::before { background: #e9a39b; } .key.share1::before { background: #efc39b; } .key.share2::before { background: #ecdc9c; } .key.share3::before { background: #c4dd9f; } .key.share4::before { background: #93cfa6; }
.member { fill: light-dark(#c9daf2, #2c4a72); } .bits { fill: light-dark(#d8cdf0, #4b3f73); } .unused { fill: light-dark(#f3c4bf, #7a3129); }
.key.member::before { background: light-dark(#c9daf2, #2c4a72); } .key.bits::before { background: light-dark(#d8cdf0, #4b3f73); } .key.unused::before { background: light-dark(#f3c4bf, #7a3129); }
svg.struct { max-width: 60rem; }
.matrix td, .matrix th { padding: .4rem .6rem; }
.matrix { width: auto; }
td.cell.accepted { background: color-mix(in srgb, var(--ok) 14%, transparent); } td.cell.refused { background: color-mix(in srgb, var(--no) 16%, transparent); } td.cell.open { background: color-mix(in srgb, var(--open) 16%, transparent); }
td.cell a { color: inherit; } .matrix td.number a { color: var(--text); }
.heat1 { background: color-mix(in srgb, currentColor 6%, transparent); } .heat2 { background: color-mix(in srgb, currentColor 12%, transparent); } .heat3 { background: color-mix(in srgb, currentColor 18%, transparent); } .heat4 { background: color-mix(in srgb, currentColor 26%, transparent); }
@media (max-width: 40rem) { .bars { grid-template-columns: 1fr 4rem; } .bars svg { grid-column: 1 / 3; grid-row: auto; order: 0; } .wide { display: none; } .shares { grid-template-columns: 1fr; gap: .1rem; } .mechanisms { grid-template-columns: 1fr; } }
@media print { header, .tools, .copyable button, .skip { display: none; } body { max-width: none; } }
`;

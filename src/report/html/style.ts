/** The look of all pages. Colors have a contrast of at least 4.5 on their ground, in light and in dark (WCAG 2.2, 1.4.3). */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1c2430; --dim: #566070; --paper: #ffffff; --soft: #f5f7fa; --line: #dfe4ea; --blue: #2a5fc4;
  --good: #1a6b3c; --bad: #b3261e; --doubt: #8a5300; --good-fill: #2f9461; --bad-fill: #d0453b; --doubt-fill: #d99a2b; --host-fill: #b9c3cf; --odd-fill: #7d6bb5;
  --bad-soft: #fdeeec; --doubt-soft: #fdf4e3; --good-soft: #e9f6ee; --mute-soft: #eef1f5;
}
@media (prefers-color-scheme: dark) { :root {
  --ink: #e4e9f0; --dim: #9ba7b6; --paper: #10151c; --soft: #171e27; --line: #2a3440; --blue: #84adff;
  --good: #6fd39b; --bad: #ff8d84; --doubt: #f0bd63; --good-fill: #3ea873; --bad-fill: #e0584e; --doubt-fill: #d99a2b; --host-fill: #4d5a69; --odd-fill: #9d8ad6;
  --bad-soft: #3a1c1b; --doubt-soft: #35290f; --good-soft: #14301f; --mute-soft: #222b36;
} }
* { box-sizing: border-box; }
html { scroll-padding-top: 3.5rem; }
body { margin: 0; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; color: var(--ink); background: var(--paper); }
#page { max-width: 78rem; margin: 0 auto; padding: 0 1.5rem 3rem; }
a { color: var(--blue); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem 1rem; z-index: 2; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
header { padding: 2rem 0 0; }
.eyebrow { margin: 0 0 .6rem; color: var(--dim); font-size: .85rem; display: flex; gap: .35rem 1rem; flex-wrap: wrap; }
.eyebrow b { color: var(--ink); font-weight: 600; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0; letter-spacing: -.01em; text-wrap: balance; }
.lead { margin: .5rem 0 0; color: var(--dim); max-width: 60rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 0; } h3 { font-size: 1rem; margin: 0 0 .35rem; }
h2 + .note { margin-top: .15rem; }
nav { position: sticky; top: 0; z-index: 1; background: var(--paper); border-bottom: 1px solid var(--line); margin: 1.25rem -1.5rem 0; padding: .5rem 1.5rem; overflow-x: auto; }
nav ul { display: flex; gap: 1.25rem; margin: 0; padding: 0; list-style: none; white-space: nowrap; }
nav a { color: var(--dim); text-decoration: none; font-size: .9rem; } nav a:hover { color: var(--ink); text-decoration: underline; }
section { margin-top: 2.5rem; }
.head { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; justify-content: space-between; margin-bottom: .75rem; }
.note, .dim { color: var(--dim); } .note { margin: 0; font-size: .9rem; max-width: 56rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.75rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; padding: 0; list-style: none; }
.tiles li { padding: .9rem 1rem; border: 1px solid var(--line); border-radius: .6rem; }
.tiles .what { color: var(--dim); font-size: .85rem; }
.tiles .number { display: block; font-size: 1.85rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
.tiles .more { display: block; font-size: .85rem; color: var(--dim); } .tiles .more.bad { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; align-items: start; } .figures > div { display: grid; gap: 1rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
.card, figure { margin: 0; border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .15rem; } figure .note { font-weight: 400; margin-bottom: .6rem; }
.drawing { display: block; width: 100%; height: auto; max-width: 40rem; } .drawing text { font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .5rem 0 0; padding: 0; list-style: none; font-size: .85rem; color: var(--dim); }
.key svg { width: .7rem; height: .7rem; margin-right: .4rem; }
.key b { color: var(--ink); font-variant-numeric: tabular-nums; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
input[type=search], select { font: inherit; font-size: .9rem; color: inherit; background: var(--paper); border: 1px solid var(--dim); border-radius: .4rem; padding: .3rem .6rem; }
input[type=search] { width: 15rem; max-width: 100%; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: .42rem .8rem .42rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--dim); font-size: .82rem; font-weight: 500; white-space: nowrap; vertical-align: bottom; border-bottom-color: var(--dim); }
tbody th a { text-decoration: none; } tbody th a:hover { text-decoration: underline; }
tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 9rem; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } .c { text-align: center; }
td.dim { color: var(--dim); } .zero { color: var(--dim); }
thead button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: inherit; }
thead button::after { content: "\\2195" / ""; opacity: 0; margin-left: .3em; } thead button:is(:hover, :focus-visible)::after { opacity: .6; } [aria-sort=ascending] button::after { content: "\\2191" / ""; opacity: 1; } [aria-sort=descending] button::after { content: "\\2193" / ""; opacity: 1; }
[aria-sort] button, thead button:hover { color: var(--ink); }
.meter { width: 6.5rem; height: .5rem; vertical-align: middle; margin-right: .5rem; border-radius: .25rem; background: var(--host-fill); }
.f-good { fill: var(--good-fill); } .f-bad { fill: var(--bad-fill); } .f-doubt { fill: var(--doubt-fill); } .f-host { fill: var(--host-fill); } .f-odd { fill: var(--odd-fill); } .f-blue { fill: var(--blue); }
.tag { display: inline-block; font-size: .78rem; font-weight: 600; line-height: 1.5; padding: 0 .5rem; border-radius: 1rem; background: var(--mute-soft); color: var(--ink); white-space: nowrap; }
.tag.bad { background: var(--bad-soft); color: var(--bad); } .tag.doubt { background: var(--doubt-soft); color: var(--doubt); } .tag.good { background: var(--good-soft); color: var(--good); }
.list { margin: 0; padding: 0; list-style: none; }
.finding { border-top: 1px solid var(--line); padding: .8rem 0; display: grid; grid-template-columns: 5.5rem 1fr; gap: 0 1rem; }
.finding[hidden] { display: none; }
.finding p { margin: 0; overflow-wrap: anywhere; } .finding .message { font-weight: 500; } .finding .rule { color: var(--dim); font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .4rem 0 0; font-size: .9rem; } dt { color: var(--dim); } dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
code, .mono { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; font-size: .9em; white-space: pre-wrap; overflow-wrap: anywhere; }
.mono { white-space: pre; }
details { margin-top: .25rem; } summary { cursor: pointer; color: var(--dim); } summary:hover { color: var(--ink); }
details.block { border-top: 1px solid var(--line); margin: 0; padding: .6rem 0; } details.block > summary { color: var(--ink); display: grid; grid-template-columns: 1rem minmax(0, 1fr) 12rem minmax(0, 20rem); gap: 0 .75rem; align-items: baseline; list-style: none; } details.block > summary::before { content: "\\25B8" / ""; color: var(--dim); } details.block[open] > summary::before { content: "\\25BE" / ""; } details.block > summary::-webkit-details-marker { display: none; }
details.block > :not(summary) { margin-top: .5rem; }
.upright { writing-mode: vertical-rl; rotate: 180deg; font-size: .95em; line-height: 1.2; } td.c, th.c { padding-inline: .3rem; } td.c { font-weight: 600; } .day { white-space: nowrap; } .fix { white-space: pre-wrap; }
.names { font-size: .9rem; overflow-wrap: anywhere; }
.alert { border: 1px solid var(--line); border-left: 4px solid var(--doubt-fill); border-radius: .4rem; padding: .6rem 1rem; margin: 1rem 0 0; } .alert.bad { border-left-color: var(--bad-fill); } .alert.bad, .alert.doubt { color: inherit; } .alert + .alert { margin-top: .5rem; }
.gone { display: none; } .away .gone { display: inline; color: var(--bad); }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; color: var(--dim); font-size: .85rem; } footer dl { font-size: 1em; }
@media (max-width: 56rem) { .figures { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 40rem) { details.block > summary { grid-template-columns: 1rem minmax(0, 1fr); } details.block > summary > :nth-child(n+2) { grid-column: 2; } #page { padding: 0 1rem 2rem; } nav { margin-inline: -1rem; padding-inline: 1rem; } .finding { grid-template-columns: 1fr; } h1 { font-size: 1.4rem; } }
@media print {
  :root { --ink: #000; --dim: #444; --paper: #fff; --soft: #fff; --line: #bbb; --good: #1a6b3c; --bad: #b3261e; --doubt: #8a5300; --blue: #1d4a9e; --host-fill: #b9c3cf; --good-fill: #2f9461; --bad-fill: #d0453b; --doubt-fill: #d99a2b; --odd-fill: #7d6bb5; --bad-soft: #fdeeec; --doubt-soft: #fdf4e3; --good-soft: #e9f6ee; --mute-soft: #eef1f5; }
  @page { margin: 14mm; }
  body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  table { font-size: 8.5pt; } th, td { padding-right: .45rem; } .meter { width: 3.5rem; } tbody th { min-width: 6rem; }
  #page { max-width: none; padding: 0; } nav, .tools, .skip { display: none; } .scroll { overflow: visible; }
  tr, figure, .card, .finding, .tiles li { break-inside: avoid; } h2, h3 { break-after: avoid; } thead { display: table-header-group; }
  details::details-content { content-visibility: visible; block-size: auto; }
  thead button::after { content: none; }
  a { color: inherit; text-decoration: none; }
}
`;

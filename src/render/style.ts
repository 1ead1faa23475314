import { VERDICTS_STYLE } from './verdicts.ts'

/** The style sheet of the page and of the HTML report. Colours meet WCAG AA on both backgrounds. */
export const BASE_STYLE = `
:root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--line:#dfe3e9;--text:#18202b;--soft:#556172;--accent:#2457c5;
--good:#2f6fd6;--between:#d9a521;--bad:#c0352b;--idle:#7a8594;--goodbg:#e4edfb;--badbg:#fbe7e5;--track:#e8ebf0}
@media(prefers-color-scheme:dark){:root{--bg:#0f131a;--card:#171d27;--line:#2a3341;--text:#e7ecf3;--soft:#9fabbc;--accent:#8ab4ff;
--good:#6ea8fe;--between:#e3bf55;--bad:#ff8a80;--idle:#8b97a8;--goodbg:#132540;--badbg:#3b1a18;--track:#242d3a}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.wrap{max-width:1180px;margin:0 auto;padding:20px 20px 48px}
a{color:var(--accent);text-underline-offset:3px}
a:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-9999px}.skip:focus{left:12px;top:8px;background:var(--card);padding:6px 10px}
header{display:flex;flex-wrap:wrap;align-items:center;gap:6px 20px;margin-bottom:16px}
h1{font-size:20px;margin:0;letter-spacing:-.01em}h2{font-size:15px;margin:0 0 10px}
nav{margin-left:auto;display:flex;flex-wrap:wrap;gap:4px 16px}
.soft{color:var(--soft)}p{margin:0}
.state{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 14px;border-left:4px solid var(--good);background:var(--goodbg);padding:10px 14px;border-radius:6px;margin-bottom:16px}
.state.not{border-color:var(--bad);background:var(--badbg)}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:0 0 16px}
.tiles>div,.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px;min-width:0}.card{container-type:inline-size}
dt{color:var(--soft);font-size:13px}dd{margin:0}h1,caption,figcaption,p{overflow-wrap:anywhere}
.figure{font-size:26px;font-weight:650;letter-spacing:-.02em;line-height:1.25;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.figure.none{font-size:17px;font-weight:500;color:var(--soft);line-height:32px}
.tiles small{color:var(--soft);font-size:12.5px;display:block}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px}
.wide{grid-column:1/-1}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:12.5px;padding-bottom:6px}
th{font-weight:600}thead th{color:var(--soft);font-size:12px;border-bottom:1px solid var(--line);vertical-align:bottom}
th,td{text-align:left;padding:5px 8px;vertical-align:top}th:first-child,td:first-child{padding-left:0}
tbody tr+tr>*{border-top:1px solid var(--line)}tbody th{font-weight:500;overflow-wrap:anywhere;min-width:7.5em}td{overflow-wrap:anywhere}
.n{text-align:right}td.n{white-space:nowrap}.mid-table td.n{white-space:normal;overflow-wrap:break-word}.path{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}.wide-table tbody th:has(.path){min-width:16em}
.fail{color:var(--bad)}.tag{white-space:nowrap}.tag.failing{color:var(--bad);font-weight:600}.tag.hot{color:var(--good)}
svg{display:block;width:100%;border-radius:4px}.split{height:14px;background:var(--track);margin-bottom:10px}
.bar{height:6px;background:var(--track);min-width:70px;margin-top:8px}.bar rect{fill:var(--accent)}
.first_pass{fill:var(--good)}.after_rework{fill:var(--between)}.failed{fill:var(--bad)}.abandoned{fill:var(--idle)}
pre{margin:6px 0 12px;white-space:pre-wrap;overflow-wrap:anywhere;font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}summary{font-size:13.5px;cursor:pointer;overflow-wrap:anywhere}
.key{display:inline-block;width:10px;height:10px;margin-right:7px;border-radius:2px}
.grid p.soft{font-size:12.5px}.two{display:grid;gap:14px}
#stale:not(:empty){background:var(--badbg);border-left:4px solid var(--bad);padding:8px 14px;border-radius:6px;margin-bottom:12px}
@container (max-width:420px){th,td{padding:5px 4px}tbody th{min-width:5.5em}}
@container (max-width:420px){.small-table,.small-table caption,.small-table tbody,.small-table tr,.small-table tbody th{display:block}.small-table thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.small-table tbody th{min-width:0}.small-table tbody tr{padding:6px 0}.small-table tbody tr+tr{border-top:1px solid var(--line)}.small-table tbody tr>*{border:0;padding:1px 0}.small-table td{display:flex;justify-content:space-between;gap:12px;white-space:normal}.small-table td::before{content:attr(data-name);color:var(--soft)}.small-table td[data-name=""],.small-table td:empty{display:none}.small-table tbody th{font-weight:600}}
@container (max-width:560px){.mid-table,.mid-table caption,.mid-table tbody,.mid-table tr,.mid-table tbody th{display:block}.mid-table thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.mid-table tbody th{min-width:0}.mid-table tbody tr{padding:6px 0}.mid-table tbody tr+tr{border-top:1px solid var(--line)}.mid-table tbody tr>*{border:0;padding:1px 0}.mid-table td{display:flex;justify-content:space-between;gap:12px;white-space:normal}.mid-table td::before{content:attr(data-name);color:var(--soft)}.mid-table td[data-name=""],.mid-table td:empty{display:none}.mid-table tbody th{font-weight:600}}
@container (max-width:860px){.wide-table,.wide-table caption,.wide-table tbody,.wide-table tr,.wide-table tbody th{display:block}.wide-table thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.wide-table tbody th{min-width:0}.wide-table tbody tr{padding:6px 0}.wide-table tbody tr+tr{border-top:1px solid var(--line)}.wide-table tbody tr>*{border:0;padding:1px 0}.wide-table td{display:flex;justify-content:space-between;gap:12px;white-space:normal}.wide-table td::before{content:attr(data-name);color:var(--soft)}.wide-table td[data-name=""],.wide-table td:empty{display:none}.wide-table tbody th{font-weight:600}}
@media(max-width:860px){.tiles{grid-template-columns:1fr 1fr}.grid{grid-template-columns:minmax(0,1fr)}}
@media(max-width:520px){.wrap{padding:14px 12px 32px}nav{margin-left:0}.tiles{gap:8px}.tiles>div,.card{padding:11px 12px}.figure{font-size:20px}.figure.none{font-size:15px;line-height:25px}}
${VERDICTS_STYLE}`

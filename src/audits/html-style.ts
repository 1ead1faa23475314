import { CHART_STYLE } from '../charts/style.ts'

/** Styles of the report that the daemon's page does not need. */
export const REPORT_STYLE = `${CHART_STYLE}
.insights,.verdict-card{margin-bottom:16px}
.insights ol{margin:0 0 14px;padding-left:22px}.insights ol>li{margin-bottom:14px;padding-left:4px}
.insights h3,.insights h4{font-size:14px;margin:0}.insights>p{margin:0 0 8px;font-size:13px}.insights>h3{margin:14px 0 6px}
.insights .cost{font-size:13px;color:var(--bad);font-weight:600}
.insights dl{margin:4px 0 0;display:grid;grid-template-columns:5.5em minmax(0,1fr);gap:2px 8px;font-size:13.5px}
.insights ul{margin:0;padding-left:22px;font-size:13.5px}
.audit{grid-column:1/-1}
.method{font-size:12.5px;margin-top:16px}
@media print{:root{--bg:#fff;--card:#fff;--text:#000;--soft:#444;--line:#bbb;--accent:#2457c5;--second:#b9c4d6;--rest:#e6eaf0;--good:#2f6fd6;--bad:#c0352b;color-scheme:light}
.card,.tiles>div{border-color:#bbb}.skip{display:none}li,figure,tr{break-inside:avoid}.wrap{max-width:none;padding:0}}
`

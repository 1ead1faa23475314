/** The style sheet of the charts, for the page and the HTML report. */
export const CHART_STYLE = `
:root{--second:#b9c4d6;--rest:#e6eaf0}
@media(prefers-color-scheme:dark){:root{--second:#48566b;--rest:#2c3645}}
figure{margin:0 0 14px}table+figure,table+table{margin-top:16px}figcaption{font-size:13px;font-weight:600;margin-bottom:6px}
svg.chart{max-width:560px;height:auto;border-radius:0;font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
`

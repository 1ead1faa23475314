import { stripVTControlCharacters } from 'node:util'
import type { BuildStep } from '../recent/build-steps.ts'
import { counted, duration, NONE, number, typeName, utc } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { card, tile } from '../render/parts.ts'
import { table } from '../render/table.ts'
import { outcomeName } from './page-builds.ts'
import { document } from './page-document.ts'
import type { BuildFileView, BuildView } from './status.ts'

/** The page of one build: what was counted of it, its steps, and its files. It stays as it is until it is loaded again. */
export function renderBuild(view: BuildView): string {
  return document(
    `${outcomeName(view)}: build ${view.runId}`,
    html`<h1>Build ${view.runId}</h1>
      <p class="soft">As of ${utc(view.nowMs)}</p>
      ${BACK}`,
    html`${tiles(view)}
      <div class="grid">${steps(view)} ${errors(view)} ${files(view)}</div>`,
  )
}

/** The page of a build that is not kept. */
export const renderNoBuild = (runId: string): string =>
  document(
    'No such build',
    html`<h1>No such build</h1>
      ${BACK}`,
    html`<p>
      ${runId === '' ? 'The address names no build' : html`Build ${runId} is not listed`}. The exporter lists
      the 1,000 builds that started last, from the first entry on that it read of them.
    </p>`,
  )

const BACK = html`<nav aria-label="Way back"><a href="/">All builds</a></nav>`

function tiles(view: BuildView): Html {
  const { startedMs, lastEntryMs } = view
  const under = [
    view.project === undefined ? [] : `project ${view.project}`,
    view.revision === undefined ? [] : `GEMINI.md ${view.revision}`,
  ].flat()
  return html`<dl class="tiles">
    ${[
      tile('Outcome', outcomeName(view), under.join(', ')),
      tile('Tokens', number(view.tokens), `in ${counted(view.entries, 'step')}`),
      tile(
        'Failed validations',
        number(view.failures),
        `answered by ${counted(view.reworkSteps, 'fix', 'fixes')}`,
      ),
      tile('Time', duration(lastEntryMs - startedMs), `${utc(startedMs)} to ${utc(lastEntryMs)}`),
    ]}
  </dl>`
}

function steps(view: BuildView): Html {
  const rows = view.steps.map((step) => [
    html`${step.entry.step}${note(step)}`,
    html`<span class="tag">${step.phase}</span>`,
    utc(step.entry.timestampMs).slice(11, 19),
    html`<span class="${step.entry.status === 'fail' ? 'fail' : ''}">${step.entry.status}</span>`,
    step.errorType,
    orNone(step.entry.promptTokens),
    orNone(step.entry.completionTokens),
    orNone(step.entry.spentTokens),
  ])
  const cut = view.found - view.steps.length
  return card(
    'steps',
    'Steps',
    html`${missing(view)}
    ${table(
      'As they stand in the file. The error type of a fix is that of the validation that it answers.',
      ['Step', 'Phase', 'Time (UTC)', 'Status', 'Error type', '#Prompt', '#Completion', '#Tokens'],
      rows,
      NONE,
    )}
    ${cut > 0 ? html`<p class="soft">and ${counted(cut, 'more step')}</p>` : ''}`,
    'wide',
  )
}

/** Tokens of a step that does not give them are not 0. */
const orNone = (tokens: number | undefined): string => (tokens === undefined ? '–' : number(tokens))

function note({ entry: { model }, instructionVersion, durationSeconds }: BuildStep): Html {
  const facts = [
    instructionVersion === undefined ? [] : `prompt ${instructionVersion}`,
    model ?? [],
    durationSeconds === undefined ? [] : duration(durationSeconds * 1000),
  ].flat()
  return facts.length === 0 ? html`` : html`<div class="soft">${facts.join(', ')}</div>`
}

/** Says how many of the entries that were counted are not in the files any more. */
function missing({ entries, found }: BuildView): Html {
  if (found >= entries) return html``
  return html`<p class="fail">
    ${number(entries - found)} of ${counted(entries, 'step')} that were counted cannot be shown. The sums
    above contain them; what became of the file stands below.
  </p>`
}

function errors({ steps }: BuildView): Html {
  const failed = steps.filter(({ errorText }) => errorText !== '')
  if (failed.length === 0) return html``
  return card(
    'errors',
    'Errors',
    failed.map(
      ({ entry, errorType, errorText }) =>
        html`<details open>
          <summary>${entry.step}: ${typeName(errorType)}${lengthOf(entry.errorFullChars, errorText)}</summary>
          <pre>${linesOf(errorText)}</pre>
        </details>`,
    ),
    'wide',
  )
}

const NEWLINE: Html = { markup: '\n' }

/** Escaping replaces control characters: line ends are kept, and the colours of terminals dropped. */
const linesOf = (text: string): Html[] =>
  stripVTControlCharacters(text)
    .split(/\r?\n/u)
    .map((line) => html`${line.replaceAll('\t', '  ')}${NEWLINE}`)

const lengthOf = (all: number | undefined, text: string): string =>
  all !== undefined && all > text.length
    ? ` (the first ${number(text.length)} of ${counted(all, 'character')})`
    : ''

const files = ({ files }: BuildView): Html =>
  card(
    'files',
    'Files',
    table(
      'Where the steps were read',
      ['File', 'Now'],
      files.map((file) => [html`<span class="path">${file.path}</span>`, stateOf(file)]),
      NONE,
    ),
    'wide',
  )

const STATES: Readonly<Record<Exclude<BuildFileView['state'], 'failed'>, string>> = {
  whole: 'there, as it was read',
  cut: 'there; the steps lie far apart in it, and only the first 16 MiB of that stretch are read for this page',
  gone: 'gone: no file is at this path any more',
  replaced:
    'replaced: the file at this path does not contain the steps any more (truncated, rotated or written anew)',
  shorter: 'truncated: it ends before the last step of this build',
}

function stateOf({ state, cause, tooLong }: BuildFileView): Html {
  const text = state === 'failed' ? `cannot be read: ${cause ?? ''}` : STATES[state]
  const long = tooLong === 0 ? '' : `; ${counted(tooLong, 'line')} longer than 2 MiB left out`
  return html`<span class="${state === 'whole' ? '' : 'fail'}">${text}${long}</span>`
}

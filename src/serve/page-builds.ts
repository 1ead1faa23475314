import type { Outcome } from '../attribute/build.ts'
import { NONE_YET, number, utc } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { table } from '../render/table.ts'
import { liveCard } from './page-live.ts'
import type { BuildSummary, RecentView } from './status.ts'

export const OUTCOME_NAMES: Readonly<Record<Outcome, string>> = {
  first_pass: 'First pass',
  after_rework: 'After rework',
  failed: 'Failed',
  abandoned: 'Abandoned',
}

export const outcomeName = ({ outcome }: Pick<BuildSummary, 'outcome'>): string =>
  outcome === undefined ? 'In progress' : OUTCOME_NAMES[outcome]

/** The last and the dearest builds, each a link to its view. */
export function buildsCard({ kept, last, dearest }: RecentView): Html {
  const hasProjects = last.concat(dearest).some(({ project }) => project !== undefined)
  return liveCard(
    'single-builds',
    'Single builds',
    kept === 0 && last.length === 0
      ? html`<p class="soft">The builds that started last: ${NONE_YET}</p>`
      : [
          list(
            `The ${number(dearest.length)} dearest of the ${number(kept)} builds that started last`,
            dearest,
            hasProjects,
          ),
          list(`The ${number(last.length)} builds that started last`, last, hasProjects),
        ],
    'wide',
  )
}

const list = (caption: string, builds: readonly BuildSummary[], hasProjects: boolean): Html =>
  builds.length === 0
    ? html``
    : table(
        caption,
        [
          'Build',
          ...(hasProjects ? ['Project'] : []),
          'Started',
          'Outcome',
          '#Steps',
          '#Failures',
          '#Tokens',
        ],
        builds.map((build) => [
          html`<a href="/build?run=${encodeURIComponent(build.runId)}">${build.runId}</a>`,
          ...(hasProjects ? [build.project ?? '(none)'] : []),
          utc(build.startedMs).slice(0, 16),
          outcomeCell(build),
          number(build.entries),
          number(build.failures),
          number(build.tokens),
        ]),
        NONE_YET,
      )

const outcomeCell = (build: BuildSummary): Html =>
  html`<span
    ><svg class="key" aria-hidden="true">
      <rect class="${build.outcome ?? ''}" width="100%" height="100%"></rect></svg
    >${outcomeName(build)}</span
  >`

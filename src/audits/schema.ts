import { z } from 'zod'
import { VERDICT_WORDS } from '../render/verdicts.ts'

/** The JSON of the report. docs/report.schema.json is generated from this schema. */

const whole = z.int().min(0)
const amount = z.number().min(0)
const share = z.number().min(0).max(1)

const estimate = z
  .object({ value: z.number(), low: z.number(), high: z.number() })
  .describe('a value with its 95 % confidence interval')
const rate = estimate.nullable().describe('a share with its Wilson 95 % interval; null without data')
const mean = z
  .object({ value: z.number(), low: z.number().nullable(), high: z.number().nullable() })
  .nullable()
  .describe('a mean with its 95 % t interval; low and high are null for a single value; null without data')

const byOutcome = z.object({ first_pass: whole, after_rework: whole, failed: whole, abandoned: whole })

const comparison = z.object({
  n: z.tuple([whole, whole]).describe('sample sizes of the first and the second side'),
  first: z.number(),
  second: z.number(),
  difference: estimate.describe('second minus first, with its 95 % interval after correction for batches'),
  agrees: z
    .boolean()
    .describe(
      'whether test and difference point in the same direction; if not, the difference is not a finding',
    ),
  test: z.string().describe('the test that gave the p-value'),
  batches: whole.describe('batches (days, as a rule) in which the builds of both sides started'),
  design_effect: z
    .number()
    .min(1)
    .describe(
      'how much more the difference varies than that of independent builds, as builds of one batch are alike',
    ),
  p: share.describe('after correction for batches'),
  q: share.describe('p after the Benjamini-Hochberg correction for all comparisons of this report'),
})

const revisionChange = z.object({
  from: z.string(),
  to: z.string(),
  side_by_side: z.boolean().describe('in use at the same time: neither is the successor of the other'),
  first_pass_rate: comparison.nullable(),
  tokens_per_build: comparison.nullable(),
  first_failures: z.array(z.object({ error_type: z.string(), rate: comparison })),
})

const insight = z.object({
  id: z.string().describe('names the insight within this report'),
  kind: z.enum(['finding', 'cost']).describe('finding: a tested difference; cost: measured spending'),
  title: z.string(),
  evidence: z.string(),
  tokens: amount
    .nullable()
    .describe(
      'tokens of this period that the worse side cost, or that were spent: the most that this change alone could save. ' +
        'Different insights may concern the same tokens, so do not add them up',
    ),
  part_of: z
    .string()
    .nullable()
    .describe('id of the insight whose tokens include those of this one; null if there is none'),
  change: z.string().describe('the part of GEMINI.md or of a prompt to change, and how'),
  verify: z.string().describe('how to check whether the change worked'),
})

const verdict = z.object({
  audit: z.string(),
  verdict: z
    .enum(VERDICT_WORDS)
    .describe('of the latest revision or the prompt version named first; unclear does not mean equal'),
  sentence: z.string(),
})

export const reportSchema = z
  .object({
    schema_version: z.literal(1),
    generated_at: z.iso.datetime(),
    period: z.object({
      since: z.iso.datetime().nullable(),
      until: z.iso.datetime().nullable(),
      first_entry: z.iso.datetime().nullable(),
      last_entry: z.iso.datetime().nullable(),
    }),
    input: z.object({
      files: whole,
      entries: whole.describe('valid entries in all files, including those outside the period'),
      rejected_lines: whole,
      out_of_order: whole.describe('entries with a timestamp before that of an earlier line of their file'),
      in_future: whole,
      unfinished_lines: whole.describe('last lines without a newline, left out'),
      unfinished_bytes: whole,
      rotated_files: whole.describe('rotated files beside the traces, which were not read'),
    }),
    totals: z.object({
      entries: whole,
      tokens: amount,
      cost_usd: amount.nullable(),
      builds: byOutcome,
      builds_in_progress: whole.describe('open builds whose last entry lies in the period'),
      first_pass_rate: rate,
      build_tokens: amount.describe('all tokens of the closed builds, including failed ones'),
      tokens_per_successful_build: amount.nullable(),
    }),
    token_efficiency: z.object({
      fix_cost: z.array(
        z.object({
          error_type: z.string(),
          fixes: whole,
          tokens: amount,
          mean_tokens: mean,
          completion_tokens: amount,
          error_log_chars: amount,
          rework_cost_factor: amount
            .nullable()
            .describe('completion tokens over characters of error log, where both are known'),
        }),
      ),
      prompt_share: z
        .array(
          z.object({
            phase: z.string(),
            context_tokens: amount.describe('GEMINI.md, counted once for each step'),
            instruction_tokens: amount.describe('the instruction, counted once for each step'),
            other_tokens: amount.describe(
              'the rest of the prompts: system prompt, tools and history, and a part that an entry does not record',
            ),
            context_share: share.nullable().describe('GEMINI.md as a share of the whole prompts'),
          }),
        )
        .describe(
          'prompt tokens by part, over the entries that record the prompt and at least one of its parts',
        ),
      steps: z.array(
        z.object({
          step: z.string(),
          phase: z.string(),
          entries: whole,
          tokens: amount,
          mean_tokens: amount.nullable(),
          share: share.nullable(),
        }),
      ),
      models: z
        .array(
          z.object({
            project: z.string().nullable(),
            model: z.string().nullable(),
            entries: whole,
            tokens: amount,
            cost_usd: amount.nullable().describe('null if no entry has a cost'),
          }),
        )
        .describe('by project and model, over the entries that name a model or have a cost'),
      projects: z
        .array(z.object({ project: z.string().nullable(), builds: whole, build_tokens: amount }))
        .describe('closed builds by project; empty if no build has one'),
    }),
    constraint_effectiveness: z.object({
      error_types: z.array(
        z.object({
          error_type: z.string(),
          failures: whole,
          share: share.describe('of all failed validations'),
          builds: whole,
          rework_tokens: amount.describe('tokens of the fixes that answered this error type'),
        }),
      ),
      revisions: z.array(
        z.object({
          version: z.string(),
          context_hash: z.string(),
          first_seen: z.iso.datetime(),
          current: z.boolean().describe('used by the build that started last'),
          builds: whole,
          judged: whole.describe('builds with a verdict: all except abandoned ones'),
          first_pass: whole,
          first_pass_rate: rate.describe('of the builds with a verdict'),
          tokens: amount,
          successes: whole,
          tokens_per_successful_build: amount.nullable(),
          first_failures: z.array(z.object({ error_type: z.string(), builds: whole, rate })),
        }),
      ),
      changes: z.array(revisionChange),
    }),
    prompt_refinement: z.object({
      implement: z.array(
        z.object({
          instruction_version: z.string(),
          steps: whole,
          completion_tokens: mean,
          builds: whole,
          judged: whole.describe('builds with a verdict: all except abandoned ones'),
          first_pass: whole,
          first_pass_rate: rate.describe('of the builds with a verdict'),
        }),
      ),
      fixes: z.array(
        z.object({
          instruction_version: z.string(),
          fixes: whole,
          completion_tokens: mean,
          rework_cost_factor: amount.nullable(),
          judged: whole.describe(
            'fixes with a verdict: their own failure, else the status of the next validation, else their own pass',
          ),
          passed: whole,
          pass_rate: rate,
        }),
      ),
      comparisons: z.array(
        z.object({
          phase: z.enum(['implement', 'rework']),
          measure: z.string(),
          first: z.string().describe('the prompt version used most'),
          second: z.string(),
          assigned_at_random: z
            .boolean()
            .describe(
              'the two sides are the builds of one draw, which assigned them their versions at random; if not, versions are compared as they were used, perhaps for different work',
            ),
          comparison: comparison.describe(
            'implement: one value for each build that used exactly one prompt version, with the tokens of all its steps; rework: the first fix of each build',
          ),
        }),
      ),
    }),
    context_volatility: z.object({
      changes: whole.describe(
        'builds that started under a GEMINI.md that none of the 20 builds before had used',
      ),
      changes_within_builds: whole,
      days: z.array(
        z.object({
          day: z.iso.date(),
          revisions: whole,
          changes: whole,
          validations: whole,
          passed: whole,
          pass_rate: rate,
          tokens: amount,
        }),
      ),
    }),
    verdicts: z.array(verdict).describe('one sentence for each audit'),
    insights: z
      .array(insight)
      .describe('what to change: findings, then costs, each ranked by the tokens that could be saved'),
    confirmed: z.array(insight).describe('tested differences that need no change now'),
    not_enough_data: z.array(z.string()),
    method: z.object({
      interval_level: share,
      false_discovery_rate: share,
      comparisons: whole,
      min_group: whole,
    }),
  })
  .describe('The four audits over audit_trace.jsonl files, by audit-trace-exporter report')

export type Report = z.infer<typeof reportSchema>
export type Comparison = z.infer<typeof comparison>
export type Insight = z.infer<typeof insight>

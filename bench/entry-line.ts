/** One line of a trace: an entry of build `b` now, with these fields besides or instead. */
export const entryLine = (fields: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify({
    workflow_run_id: 'b',
    step_name: 'implement_v1',
    timestamp: new Date().toISOString(),
    prompt_token_count: 1_000,
    completion_token_count: 100,
    ...fields,
  })}\n`

import { logAuditEntry } from '../../src/capture/trace/log-audit-entry.ts'

// One of several processes that append to the same trace: `node append-entries.ts DIR WRITER COUNT [not-durable]`.
const [dir = '', writer = '', count = '0', durability = ''] = process.argv.slice(2)

for (let i = 0; i < Number(count); i++) {
  const entry = {
    workflow_run_id: writer,
    step_name: `implement_v${String(i)}`,
    prompt_token_count: i,
    completion_token_count: 1,
    // Longer than 4 KiB and 64 KiB, up to which writes to a pipe are atomic.
    error_full: i % 50 === 0 ? `é"\n`.repeat(40_000) : 'x'.repeat(i % 200),
  }
  await logAuditEntry(dir, entry, { durable: durability !== 'not-durable' })
}

import { EMPTY } from '../../parts/empty.ts'
import { COLORS } from '../../parts/colors.ts'
import { fixedColor, lines } from '../../parts/panels.ts'
import { EXPORTERS } from './selectors.ts'

export const memory = lines({
  title: 'Memory and state size',
  description: 'Resident memory, JavaScript heap, and size of the state on disk, of all selected exporters.',
  unit: 'bytes',
  empty: EMPTY.exporters,
  min: 0,
  queries: [
    { expr: `sum(process_resident_memory_bytes{${EXPORTERS}})`, legend: 'resident memory' },
    { expr: `sum(nodejs_heap_size_used_bytes{${EXPORTERS}})`, legend: 'heap' },
    { expr: `sum(audit_exporter_state_bytes{${EXPORTERS}})`, legend: 'state on disk' },
  ],
})

export const cpu = lines({
  title: 'CPU usage',
  description: 'CPU time of the selected exporters, in CPUs.',
  unit: 'percentunit',
  empty: EMPTY.exporters,
  min: 0,
  queries: [{ expr: `sum(rate(process_cpu_seconds_total{${EXPORTERS}}[$__rate_interval]))`, legend: 'CPU' }],
}).colorScheme(fixedColor(COLORS.amount))

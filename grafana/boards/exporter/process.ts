import { fixedColor, lines } from '../../parts/panels.ts'

const JOB = 'job="audit-trace-exporter"'

export const memory = lines({
  title: 'Memory and state size',
  description: 'Resident memory, JavaScript heap, and size of the state on disk.',
  unit: 'bytes',
  min: 0,
  queries: [
    { expr: `sum(process_resident_memory_bytes{${JOB}})`, legend: 'resident memory' },
    { expr: `sum(nodejs_heap_size_used_bytes{${JOB}})`, legend: 'heap' },
    { expr: 'sum(audit_exporter_state_bytes)', legend: 'state on disk' },
  ],
})

export const cpu = lines({
  title: 'CPU usage',
  description: 'CPU time of the exporter as a share of one CPU.',
  unit: 'percentunit',
  min: 0,
  queries: [{ expr: `sum(rate(process_cpu_seconds_total{${JOB}}[$__rate_interval]))`, legend: 'CPU' }],
}).colorScheme(fixedColor('blue'))

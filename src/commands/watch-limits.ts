import type { Log } from '../log.ts'

/** What the log says where the system has too few open files or inotify watches. */

export function warnOfLimit(log: Log, limit: number, maxOpenFiles: number): void {
  log.warn(
    { event: 'few_open_files', limit, maxOpenFiles },
    `The limit of open files is ${limit}, so at most ${maxOpenFiles} traces are kept open: more of them can lose lines if they ` +
      'are deleted unread. Raise the limit with `ulimit -n 4096`, `LimitNOFILE=` or `--ulimit nofile=4096`.',
  )
}

export function warnOfWatchLimit(log: Log, error: Error, scanIntervalMs: number): void {
  log.warn(
    { event: 'watch_limit', cause: error.message },
    `The system has no more inotify watches: new files in some directories are found by the next scan only, within ${scanIntervalMs / 1000} s. ` +
      'Raise the limits of the host with `sysctl fs.inotify.max_user_watches=1048576 fs.inotify.max_user_instances=1024`, or use --poll.',
  )
}

import { z } from 'zod'
import type { WorkerConfig } from '../commands/worker.ts'
import { parseFlags } from './watch-config.ts'

import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import {
  beginAttempt,
  endAttempt,
  openAttempts,
  sumAttempts,
} from '../../../src/capture/agent/spent-tokens.ts'
import { temporaryDirectory } from '../../setup/exporter.ts'

const whole = { prompt: 1000, cached: 400, completion: 50, isWhole: true, costUsd: 0.5, durationMs: 2000 }

it('adds up tokens and time of all attempts at a step', async () => {
  const dir = temporaryDirectory()
  await endAttempt(dir, await beginAttempt(dir, 'run/scaffold'), whole)
  await endAttempt(dir, await beginAttempt(dir, 'run/implement_v1'), whole)
  await endAttempt(dir, await beginAttempt(dir, 'run/scaffold'), whole)
  expect(await sumAttempts(dir, 'run/scaffold')).toEqual({
    attempts: 2,
    prompt: 2000,
    cached: 800,
    completion: 100,
    isWhole: true,
    costUsd: 1,
    durationMs: 4000,
  })
})

it('unknown counts and costs are absent', async () => {
  const dir = temporaryDirectory()
  await endAttempt(dir, await beginAttempt(dir, 'run/scaffold'), { isWhole: false, durationMs: 5 })
  expect(await sumAttempts(dir, 'run/scaffold')).toEqual({ attempts: 1, isWhole: false, durationMs: 5 })
})

it('the cached part of the prompt is unknown if one attempt with a prompt does not give it', async () => {
  const dir = temporaryDirectory()
  await endAttempt(dir, await beginAttempt(dir, 'run/scaffold'), whole)
  await endAttempt(dir, await beginAttempt(dir, 'run/scaffold'), { isWhole: false })
  expect(await sumAttempts(dir, 'run/scaffold')).toMatchObject({ prompt: 1000, cached: 400 })
  await endAttempt(dir, await beginAttempt(dir, 'run/scaffold'), { prompt: 5, completion: 1, isWhole: true })
  const sum = await sumAttempts(dir, 'run/scaffold')
  expect(sum).toMatchObject({ prompt: 1005 })
  expect(sum).not.toHaveProperty('cached')
})

it('lists attempts without an end, with the time until the next attempt', async () => {
  const dir = temporaryDirectory()
  const killed = await beginAttempt(dir, 'run/scaffold', 1)
  await endAttempt(dir, await beginAttempt(dir, 'run/scaffold', 2), whole)
  expect(await openAttempts(dir)).toEqual([{ ...killed, begunMs: 1, untilMs: 2 }])
  expect(await sumAttempts(dir, 'run/scaffold')).toMatchObject({ prompt: 1000, isWhole: false })
  await endAttempt(dir, killed, { prompt: 7, completion: 1, isWhole: false })
  expect(await openAttempts(dir)).toEqual([])
  expect(await sumAttempts(dir, 'run/scaffold')).toMatchObject({ attempts: 2, prompt: 1007 })
})

it('a torn line of a killed worker loses no other line', async () => {
  const dir = temporaryDirectory()
  await endAttempt(dir, await beginAttempt(dir, 'run/scaffold'), whole)
  const attempt = await beginAttempt(dir, 'run/scaffold')
  appendFileSync(path.join(dir, '.audit_trace.jsonl.spent'), '{"id":"torn","key":"run/sca')
  await endAttempt(dir, attempt, whole)
  expect(await sumAttempts(dir, 'run/scaffold')).toMatchObject({ attempts: 2, prompt: 2000 })
})

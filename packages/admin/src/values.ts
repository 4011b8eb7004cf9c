import { z } from '@hono/zod-openapi'

/** A moment, ISO 8601 in UTC. */
export const time = z.iso.datetime().openapi({ example: '2026-01-31T12:00:00.000Z' })

export const count = z.number().nonnegative()
export const qos = z.literal([0, 1, 2]).openapi({ type: 'integer' })

/** @param at epoch ms; what never comes is null. */
export function timeOf(at: number | undefined): string | null {
  return at === undefined || Math.abs(at) > 8.64e15 ? null : new Date(at).toISOString()
}

/** A schema that has a name, or null: `nullable` would make the named one nullable. */
export function orNull<T extends z.ZodType>(schema: T): z.ZodUnion<[T, z.ZodNull]> {
  return z.union([schema, z.null()])
}

/** Counters by name. */
export const counts = z.record(z.string(), z.number())

const protocols: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5.0' }

/** What people call the version of MQTT that a number on the wire stands for. */
export function versionName(version: number): string {
  return protocols[version] ?? String(version)
}

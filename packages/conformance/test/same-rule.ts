/** Two statements of different chapters, and the rule that both name: what breaks it breaks both. */
export type SameRule = readonly [one: string, other: string, rule: string]

export const sameRule311: readonly SameRule[] = [['1.5.3-2', '4.7.3-2', 'U+0000 in a topic filter ends the connection']]

export const sameRule50: readonly SameRule[] = [
  ['1.5.4-2', '4.7.3-2', 'U+0000 in a topic filter ends the connection'],
  ['3.1.4-2', '4.12.0-1', 'an unknown authentication method does not let a client in'],
  ['3.2.2-3', '4.1.0-2', 'a session that is over is not present'],
  ['3.2.2-7', '4.13.2-1', 'a CONNACK that refuses is the last thing on its connection'],
  ['3.3.4-9', '4.9.0-2', 'Receive Maximum bounds what is not acknowledged'],
  ['3.3.4-10', '4.9.0-3', 'Receive Maximum bounds PUBLISH alone'],
  ['3.14.4-2', '4.13.2-1', 'DISCONNECT for an error is the last thing on its connection'],
  ['3.15.2-1', '4.12.0-2', 'AUTH asks for more with a code there is'],
  ['4.3.3-5', '4.4.0-1', 'PUBREL is sent again until PUBCOMP comes'],
]

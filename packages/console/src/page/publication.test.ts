import { afterEach, expect, test, vi } from 'vitest'
import { type Draft, emptyDraft, publish } from './publication.js'

const sent = vi.fn(async (_url: string, _init: { readonly body: string }) => new Response(null, { status: 204 }))
vi.stubGlobal('fetch', sent)
afterEach(() => sent.mockClear())

const bodyOf = async (draft: Partial<Draft>): Promise<unknown> => {
  await publish({ ...emptyDraft, topic: 'a', ...draft })
  return JSON.parse(sent.mock.calls[0]![1].body)
}

test('a text goes as it is, bytes in base64', async () => {
  expect(await bodyOf({ payload: 'é', qos: 1, retain: true })).toEqual({
    topic: 'a',
    payload: 'é',
    encoding: 'utf8',
    qos: 1,
    retain: true,
  })
  sent.mockClear()
  expect(await bodyOf({ payload: '00 ff\n10', form: 'hex' })).toMatchObject({ payload: 'AP8Q', encoding: 'base64' })
})

test('properties are those that were filled in', async () => {
  const properties = {
    contentType: 'x/y',
    correlationData: '01',
    expiry: '60',
    isUtf8: true,
    userProperties: 'a=b=c\n\nd=',
  }
  expect(await bodyOf(properties)).toMatchObject({
    properties: {
      contentType: 'x/y',
      correlationData: 'AQ==',
      messageExpiryInterval: 60,
      payloadFormatIndicator: 1,
      userProperties: [
        ['a', 'b=c'],
        ['d', ''],
      ],
    },
  })
})

test.each<[Partial<Draft>, string]>([
  [{ form: 'json', payload: '{' }, 'This is no JSON'],
  [{ form: 'hex', payload: '0' }, 'It takes pairs of 0 to 9 and a to f.'],
  [{ correlationData: 'xy' }, 'It takes pairs of 0 to 9 and a to f.'],
  [{ userProperties: 'novalue' }, 'A user property is a line such as name=value.'],
])('%j is not sent', async (draft, problem) => {
  await expect(publish({ ...emptyDraft, topic: 'a', ...draft })).rejects.toThrow(problem)
  expect(sent).not.toHaveBeenCalled()
})

import { html } from 'hono/html'

type Html = ReturnType<typeof html>

/** What of a description is shown. */
interface Described {
  readonly openapi: string
  readonly info: { readonly version: string; readonly description?: string }
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths?: object
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
}

interface DescribedOperation {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: unknown }>> }
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}

/** The API as a page: plain HTML, made of its description. Nothing of it comes from elsewhere, and nothing in it runs. */
export function descriptionPage(document: Described): Html {
  const all = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Readonly<Record<string, DescribedOperation>>).map(([method, it]) => ({
      path,
      method,
      it,
    })),
  )
  const tags = document.tags ?? []
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Godwit: HTTP API</title>
<link rel="stylesheet" href="/api/v1/style.css"></head>
<body><main>
<h1>Godwit ${document.info.version}: HTTP API</h1>
<p>${document.info.description}</p>
<p>For programs: <a href="/api/v1/openapi.json">openapi.json</a> (OpenAPI ${document.openapi}).</p>
${tags.map(
  (tag) => html`<h2>${tag.name}</h2><p>${tag.description}</p>
${all.filter(({ it }) => it.tags?.includes(tag.name)).map(({ path, method, it }) => section(path, method, it))}`,
)}
</main></body></html>`
}

function section(path: string, method: string, it: DescribedOperation): Html {
  const parameters = it.parameters ?? []
  return html`<section id="${it.operationId}"><h3><code>${method.toUpperCase()} ${path}</code> ${it.summary}</h3>
<p>${it.description}</p>
${
  parameters.length === 0
    ? ''
    : html`<table><thead><tr><th>parameter</th><th>in</th><th></th></tr></thead><tbody>${parameters.map(
        (one) =>
          html`<tr><td><code>${one.name}</code>${one.required ? ' (needed)' : ''}</td><td>${one.in}</td><td>${one.description ?? ''}</td></tr>`,
      )}</tbody></table>`
}
${bodies(it)}
<ul>${Object.entries(it.responses).map(([status, { description }]) => html`<li>${status}: ${description}</li>`)}</ul>
</section>`
}

function bodies({ requestBody }: DescribedOperation): Html[] {
  return Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) => html`<p>Body, ${type}:</p><pre>${JSON.stringify(schema, undefined, 2)}</pre>`,
  )
}

export const pageStyle = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
section { border-top: 1px solid #8886; }
code, pre { font: 14px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { overflow: auto; max-height: 20rem; padding: .5rem; border: 1px solid #8886; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }
`

/**
 * The shapes that the JSON API speaks, as JSDoc types. Nothing here exists at run time.
 *
 * @typedef {"queued"|"running"|"waiting"|"answered"|"merged"|"superseded"|"stopped"|"refused"|"failed"|"withdrawn"} TurnState
 *
 * @typedef {object} Message
 * @property {string} message_id
 * @property {string} text
 * @property {number} revision  0 for the original text, one more for each edit
 * @property {string} sent_at  RFC 3339, UTC
 * @property {boolean} erased  whether its author deleted it
 *
 * @typedef {object} Step
 * @property {string} key
 * @property {string} tool
 * @property {string} title  a short phrase in the turn's language
 * @property {Record<string, unknown>} args
 * @property {"running"|"done"|"failed"} state
 * @property {string} html  sanitised on the server
 *
 * @typedef {object} Turn  The complete picture of one turn; a newer one replaces an older one entirely.
 * @property {number|string} id
 * @property {string} conversation
 * @property {TurnState} state
 * @property {number} version
 * @property {string} lang
 * @property {Message[]} messages
 * @property {Step[]} steps
 * @property {string} html  sanitised on the server; the only HTML that this page ever inserts, beside a step's
 * @property {string} text  the Markdown that `html` was made from
 * @property {string} status
 * @property {string[]} notes
 * @property {string[]} sources
 * @property {string|null} model
 * @property {boolean} can_retry
 * @property {boolean} can_stop
 * @property {1|-1|0} feedback
 * @property {{key: string, question: string}|null} consent
 * @property {number|string|null} merged_into  the turn that answers its messages instead
 * @property {number|string|null} retry_of
 * @property {string} created_at
 * @property {string|null} finished_at
 *
 * @typedef {object} TraceStep
 * @property {string} key
 * @property {"plan"|"act"|"consent"|"conclude"} kind
 * @property {"running"|"done"|"failed"} state
 * @property {string} title
 * @property {string} tool
 * @property {Record<string, unknown>} args
 * @property {string} task
 * @property {string} thought  HTML, sanitised on the server
 * @property {string} reasoning  HTML, sanitised on the server
 * @property {{tool: string, title: string, args: Record<string, unknown>}[]} calls
 * @property {string|null} end
 * @property {string} detail
 * @property {string} html  sanitised on the server
 * @property {string[]} sources
 * @property {boolean|null} allowed
 * @property {string|null} model
 * @property {{prompt: number|null, completion: number|null}} tokens
 * @property {number} attempts
 * @property {string} style
 * @property {string} started_at
 * @property {string|null} finished_at
 *
 * @typedef {object} Trace
 * @property {TraceStep[]} steps
 * @property {{scope: string, version: number, author: string, at: string}[]} profiles
 * @property {string|null} model
 * @property {{prompt: number|null, completion: number|null}} tokens
 * @property {number} attempts
 * @property {string} created_at
 * @property {string|null} started_at
 * @property {string|null} finished_at
 *
 * @typedef {object} ProfileValue
 * @property {string} name
 * @property {string} about
 * @property {any} value
 * @property {string} scope
 * @property {number} version
 *
 * @typedef {object} Profile  What holds in the conversation on the screen.
 * @property {string} agent_name
 * @property {string} icon
 * @property {ProfileValue[]} values
 * @property {{tools: {name: string, title: string}[], styles: string[], max_iter_num: number}} choices
 *
 * @typedef {object} ScopeProfile
 * @property {"workspace"|"channel"} scope
 * @property {number} version
 * @property {Record<string, any>} values
 * @property {ProfileValue[]} inherited
 * @property {string[]} warnings
 *
 * @typedef {object} Version
 * @property {number} version
 * @property {string} author
 * @property {string} at
 * @property {number|null} restores
 * @property {string[]} changed
 *
 * @typedef {object} Endpoint
 * @property {string} name
 * @property {string} host
 * @property {string} model
 * @property {"settings"|"page"|"embedded"} source
 * @property {number} priority
 * @property {number} slots
 * @property {string} chat_format
 * @property {"ok"|"starting"|"degraded"|"down"} state
 * @property {string} detail
 * @property {number|null} context_tokens
 * @property {string} structured
 * @property {boolean} reasoning
 * @property {boolean|null} sees
 * @property {boolean} tokenizer
 * @property {boolean} demo
 * @property {boolean} removable
 *
 * @typedef {object} Conversation
 * @property {string} key
 * @property {string} title
 * @property {string} last_message_at
 * @property {boolean} live
 * @property {{snippet: string, turn_id: number|null}|null} found  of a search
 *
 * @typedef {object} Info
 * @property {string} name
 * @property {string} version
 * @property {{name: string, demo: boolean, state: "ok"|"starting"|"down", detail: string}} model
 * @property {{lang: string, text: string}[]} offered_questions
 * @property {number} max_message_chars
 *
 * @typedef {object} Pending  A message of ours that no turn shows yet.
 * @property {string} id  the message id, made here, so that sending twice is sending once
 * @property {string|null} conversation  null: it begins one
 * @property {string|null} draft  joins the messages of a conversation that has no key yet
 * @property {string} text
 * @property {string|null} [model]  what a conversation that begins shall ask first
 * @property {string} at
 * @property {"sending"|"offline"|"rejected"|"accepted"} state
 * @property {string} error  one sentence, "" without one
 */

export {};

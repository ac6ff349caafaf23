import { beforeAll, describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import { readXml } from '../../src/s3/xml/read.ts'
import { attribute, bool, document, enumOf, int, list, optional, struct, text, timestamp } from '../../src/s3/xml/shapes.ts'
import { escapeXml, writeElement, writeXml } from '../../src/s3/xml/write.ts'

const read = (source: string) => readXml(Buffer.from(source))

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof S3Error) return error.code
    throw error
  }
  return 'no error'
}

describe('readXml', () => {
  it.each([
    ['nothing', ''],
    ['white space only', ' \n'],
    ['text only', 'x'],
    ['an open element', '<a>'],
    ['two root elements', '<a/><b/>'],
    ['text after the root', '<a/>x'],
    ['text before the root', 'x<a/>'],
    ['crossed elements', '<a><b></a></b>'],
    ['another closing name', '<a></A>'],
    ['another closing prefix', '<x:a></y:a>'],
    ['a bare ampersand', '<a>x & y</a>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['an unterminated entity', '<a>&lt</a>'],
    ['"]]>" in text', '<a>]]></a>'],
    ['an unquoted attribute', '<a b=1/>'],
    ['an attribute without value', '<a b/>'],
    ['a repeated attribute', '<a b="1" b="2"/>'],
    ['attributes that touch', '<a b="1"c="2"/>'],
    ['"<" in an attribute', '<a b="<"/>'],
    ['a control character', '<a>\u0001</a>'],
    ['a number as a name', '<a><1/></a>'],
    ['an empty name', '<a><:b/></a>'],
    ['two colons in a name', '<a:b:c/>'],
    ['an unfinished comment', '<a><!-- x</a>'],
    ['a double hyphen in a comment', '<a><!-- x -- y --></a>'],
    ['unfinished CDATA', '<a><![CDATA[x</a>'],
    ['a processing instruction', '<a><?php x?></a>'],
    ['a late declaration', ' <?xml version="1.0"?><a/>'],
    ['a DOCTYPE', '<!DOCTYPE a><a/>'],
    ['a DOCTYPE inside', '<a><!DOCTYPE a></a>'],
    ['a reference to U+0000', '<a>&#0;</a>'],
    ['a reference to a surrogate', '<a>&#xD800;</a>'],
    ['a reference above Unicode', '<a>&#x110000;</a>'],
    ['entities of its own', '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'],
    ['a DOCTYPE in small letters', '<!doctype a><a/>'],
    ['an ENTITY outside a DOCTYPE', '<a><!ENTITY b "x"></a>'],
    ['a conditional section', '<a><![INCLUDE[x]]></a>'],
    ['an unknown declaration', '<a><!b></a>'],
    ['CDATA before the root', '<![CDATA[ ]]><a/>'],
    ['CDATA after the root', '<a/><![CDATA[ ]]>'],
    ["white space beside the root that is not XML's", '\u00a0<a/>'],
    ['an end without a start', '</a>'],
    ['an end after the root', '<a/></a>'],
    ['an attribute on an end', '<a></a b="1">'],
    ['white space before a name', '< a/>'],
    ['a slash away from the end of a tag', '<a / >'],
    ['an unfinished attribute', '<a b="1></a>'],
    ['a name that is not ASCII', '<a\u1680b/>'],
    ['an entity in two pieces', '<a>&am<!-- -->p;</a>'],
    ['an unknown entity in an attribute', '<a b="&nbsp;"/>'],
    ['a declaration as an element of the root', '<a><?xml version="1.0"?></a>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
  ])('refuses %s', (_name, source) => {
    expect(codeOf(() => read(source))).toBe('MalformedXML')
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(codeOf(() => readXml(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])))).toBe('MalformedXML')
  })

  it('takes 20 levels and refuses 21', () => {
    const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth)
    expect(read(nested(20)).name).toBe('a')
    expect(codeOf(() => read(nested(21)))).toBe('MalformedXML')
  })

  it.each([
    ['elements', '<b/>'],
    ['comments', '<!---->'],
    ['pieces of CDATA', '<![CDATA[x]]>'],
  ])('refuses more %s than any document of S3 has', (_name, piece) => {
    expect(read(`<a>${piece.repeat(199_999)}</a>`).name).toBe('a')
    expect(codeOf(() => read(`<a>${piece.repeat(200_000)}</a>`))).toBe('MalformedXML')
  })

  it('takes 64 attributes and refuses 65', () => {
    const tag = (count: number) => `<a ${Array.from({ length: count }, (_, index) => `b${index}="${index}"`).join(' ')}/>`
    expect(read(tag(64)).attributes.size).toBe(64)
    expect(codeOf(() => read(tag(65)))).toBe('MalformedXML')
  })

  it('takes 65,536 characters of text in one piece and refuses one more', () => {
    expect(read(`<a>${'x'.repeat(65_536)}</a>`).text).toHaveLength(65_536)
    expect(codeOf(() => read(`<a>${'x'.repeat(65_537)}</a>`))).toBe('MalformedXML')
  })

  it('takes a byte order mark, a declaration, comments, namespaces and prefixes', () => {
    const root = read('\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- c --><x:a xmlns:x="u" xmlns="v" x:type="T"><x:b>1</x:b></x:a>\n')
    expect(root.name).toBe('a')
    expect([...root.attributes]).toEqual([['type', 'T']])
    expect(root.children.map(({ name, text: content }) => [name, content])).toEqual([['b', '1']])
  })

  it('decodes references in text and attributes, and leaves CDATA as it is', () => {
    const root = read('<a b="&quot;&#65;">&lt;&gt;&amp;&apos;&#x1F600;&#1;<![CDATA[&lt;<x>]]><!-- no -->.</a>')
    expect(root.text).toBe("<>&'😀\u0001&lt;<x>.")
    expect(root.attributes.get('b')).toBe('"A')
  })

  it('keeps white space in text, and makes every line end one character', () => {
    expect(read('<a> k\r\n\r x\t</a>').text).toBe(' k\n\n x\t')
  })

  it('takes names of properties of every object as names only', () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', 'text']
    const root = read(`<a __proto__="y" constructor="z">${names.map((name) => `<${name}>x</${name}><n:${name}/>`).join('')}</a>`)
    expect(root.children.map(({ name }) => name)).toEqual(names.flatMap((name) => [name, name]))
    expect([...root.attributes]).toEqual([
      ['__proto__', 'y'],
      ['constructor', 'z'],
    ])
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('keeps text on both sides of elements, comments and CDATA in order', () => {
    const root = read('<a> 1<b>2<c/>3</b>&amp;<!-- & --><![CDATA[&amp;]]>4 </a>')
    expect(root.text).toBe(' 1&&amp;4 ')
    expect(root.children[0]?.text).toBe('23')
    expect(root.children[0]?.children).toEqual([{ name: 'c', attributes: new Map(), children: [], text: '' }])
  })

  it('leaves numbers, booleans and what looks like markup of the parser as text', () => {
    expect(read('<a><b>007</b><b>true</b><b>1e3</b><b>#text</b></a>').children.map(({ text: content }) => content)).toEqual([
      '007',
      'true',
      '1e3',
      '#text',
    ])
  })
})

describe('readXml, 8 MiB of hostile input', () => {
  const size = 8 * 1024 * 1024
  /** `head`, as many `unit` as 8 MiB hold, `tail`. */
  const filled = (unit: string, head = '<a>', tail = '</a>') =>
    head + unit.repeat(Math.floor((size - head.length - tail.length) / unit.length)) + tail
  const manyAttributes = `<b ${Array.from({ length: 64 }, (_, index) => `a${index}="&lt;"`).join(' ')}/>`

  function timeOf(source: string): number {
    const bytes = Buffer.from(source)
    const started = performance.now()
    codeOf(() => readXml(bytes))
    return performance.now() - started
  }

  let benignMs = 0
  beforeAll(() => {
    const benign = filled(`<b>${'x'.repeat(40)}</b>`)
    expect(read(benign).children.length).toBeGreaterThan(150_000)
    benignMs = timeOf(benign)
  })

  it.each([
    ['unclosed elements', filled('<a>', '', '')],
    ['attributes without value', filled('b ', '<a ', '/>')],
    ['attributes in one element', filled('b="1" ', '<a ', '/>')],
    ['attributes in many elements', filled(manyAttributes)],
    ['ampersands', filled('&')],
    ['ampersands in an attribute', filled('&', '<a b="', '"/>')],
    ['references in one piece', filled('&lt;')],
    ['references in many pieces', filled(`<b>${'&#x26;'.repeat(10_000)}</b>`)],
    ['unfinished comments', filled('<!-')],
    ['hyphens', filled('-', '<a><!--', '')],
    ['comments between pieces of text', filled('x<!---->')],
    ['unfinished CDATA', filled('<![CDATA[', '<a>', '')],
    ['brackets', filled(']]')],
    ['brackets in CDATA', filled(']]', '<a><![CDATA[', '')],
    ['one name', filled('a', '<', '/>')],
    ['white space in a tag', filled(' ', '<a', 'x')],
    ['white space before "="', filled(' ', '<a b', 'x')],
    ['white space in many tags', filled(`<b${' '.repeat(60_000)}/>`)],
    ['white space in an end', filled(' ', '<a></a', 'x')],
    ['white space beside the root', filled(' ', '', '<a/>')],
    ['line ends', filled('\r')],
    ['quotes', filled('"', '<a b=', '')],
    ['an unfinished declaration', filled('?', '<?xml ', '')],
  ])('costs no more than a multiple of harmless input: %s', (_name, source) => {
    expect(timeOf(source)).toBeLessThan(5 * benignMs)
  })
})

const Thing = document(
  'Thing',
  struct({
    Status: optional(enumOf(['Enabled', 'Suspended'])),
    Note: optional(text()),
    Count: optional(int({ min: 1, max: 10 })),
    Quiet: optional(bool()),
    When: optional(timestamp()),
    Who: optional(struct({ type: attribute('type'), ID: text() })),
    Item: list(struct({ Key: text(), Size: optional(int()) }), { max: 3 }),
  }),
)
const thing = (inner: string) => Thing.decode(Buffer.from(`<Thing xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</Thing>`))

describe('shapes', () => {
  it('turns elements into typed values, absent ones into undefined, in any order', () => {
    const value = thing(
      '<Item><Key> a </Key></Item><Who xmlns:xsi="u" xsi:type="CanonicalUser"><ID>1</ID></Who><Quiet>TRUE</Quiet>' +
        '<Count> 7 </Count>\n<Item><Size>5</Size><Key/></Item><When>2026-01-02T03:04:05.678Z</When>',
    )
    expect(value).toEqual({
      Status: undefined,
      Note: undefined,
      Count: 7,
      Quiet: true,
      When: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      Who: { type: 'CanonicalUser', ID: '1' },
      Item: [
        { Key: ' a ', Size: undefined },
        { Key: '', Size: 5 },
      ],
    })
  })

  it('tells an empty element from an absent one', () => {
    expect(thing('<Note/>').Note).toBe('')
    expect(thing('').Note).toBeUndefined()
  })

  it.each([
    ['an unknown element', '<Other/>'],
    ['an element named like a property of every object', '<__proto__><Key/></__proto__>'],
    ['an element named as an inherited property', '<toString/>'],
    ['an attribute given as an element', '<Who><type>x</type><ID>1</ID></Who>'],
    ['a repeated element', '<Status>Enabled</Status><Status>Enabled</Status>'],
    ['a missing element', '<Item><Size>1</Size></Item>'],
    ['too many in a list', '<Item><Key/></Item>'.repeat(4)],
    ['a word that is not in the list', '<Status>enabled</Status>'],
    ['text beside elements', 'text'],
    ['elements where text belongs', '<Note><b/></Note>'],
    ['no integer', '<Count>1.5</Count>'],
    ['an integer out of range', '<Count>11</Count>'],
    ['an empty integer', '<Count/>'],
    ['no boolean', '<Quiet>yes</Quiet>'],
    ['no time', '<When>today</When>'],
    ['an impossible time', '<When>2026-13-01T00:00:00Z</When>'],
  ])('refuses %s', (_name, inner) => {
    expect(codeOf(() => thing(inner))).toBe('MalformedXML')
  })

  it('refuses another root element', () => {
    expect(codeOf(() => Thing.decode(Buffer.from('<Other/>')))).toBe('MalformedXML')
  })
})

describe('writeXml', () => {
  it('writes members in order, repeats arrays, leaves undefined out and keeps empty elements', () => {
    const value = { A: 1, B: undefined, C: [{ D: true }, { D: false }], E: '', F: [], G: {} }
    expect(writeXml({ rootName: 'R', value })).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<R xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        '<A>1</A><C><D>true</D></C><C><D>false</D></C><E></E><G></G></R>',
    )
  })

  it('writes the type of a grantee as S3 does', () => {
    expect(writeElement('Grantee', { '@xsi:type': 'CanonicalUser', ID: 'x' })).toBe(
      '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>x</ID></Grantee>',
    )
  })

  it('escapes markup, quotes and control characters', () => {
    expect(escapeXml('a<b>&"\'\r\n\t\u0001\u0085é😀')).toBe('a&lt;b&gt;&amp;&quot;&#x27;&#xd;&#xa;&#x9;&#x1;&#x85;é😀')
  })

  it('gives back every character of a key when it is read again', () => {
    const points = Array.from({ length: 0x3000 }, (_, index) => index + 1).filter((code) => code < 0xd800)
    const key = String.fromCodePoint(...points, 0xfffd, 0xfffe, 0xffff, 0x1f600, 0x10ffff)
    const root = readXml(Buffer.from(writeXml({ rootName: 'R', value: { Key: key } })))
    expect(root.children[0]?.text).toBe(key)
  })
})

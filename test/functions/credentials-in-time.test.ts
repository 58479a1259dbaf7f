import { expect, test } from 'vitest';
import { findCredentials, redact } from '../../functions/credentials.ts';

/** A megabyte that makes careless expressions take time by the square of it. */
const HOSTILE: readonly string[] = [
  'apiv1_',
  'apiv1',
  'apiv1_\n',
  `xapiv1_\n${'>'.repeat(79)}`,
  'apiv1_a ',
  'apiv1_a\\\n',
  // Half a string, which its next line may continue; nobody's.
  `apiv1_${'a'.repeat(43)}\n`,
  'M.V1.',
  'eyJhbGci',
  'eyJhbGci.eyJ.',
  'ZXlKaGJHY2',
  'M.V1',
  `M.V1.${'a1'.repeat(10)}\n`,
  `M.V1.${'a1'.repeat(10)}\n${'a1\n'.repeat(30)}`,
  'apiv1_\n# ',
  'apiv1_a\n12: ',
  'xapiv1_a\n+',
  '"+\n"a',
  '"+"a',
  '","a',
  'apiv1_a\\"',
  '"',
  '<wbr>',
  '<wbr>a',
  'apiv1_a<b>',
  'apiv1_a<b ',
  '</span>\n ',
  ' │\n│ a',
  '│',
  `apiv1_${'a\n'.repeat(84)}`,
  'YXBpdj',
  'YXBpdjFf\n',
  'hcGl2\n',
  'hcGl2 ',
  'YXBpdj ',
  'ap\niv1_',
  '%\n2',
  'aGFwaXYx',
  `YXBpdjFf${'QUFB'.repeat(10)}\n`,
  'TS5WMS4x\n',
  `${'aB1'.repeat(28)}aB `,
  '=3D',
  '=5F',
  '\\_',
  '\u00A0',
  '12: ',
  '1 \n',
  '\n#',
  '%25',
  '%2525',
  '\\',
  '\\u005c',
  '&amp;',
  '&#38;',
  '&',
  '=',
  'a',
  ' ',
  '\n',
  '>',
  '<br>',
  '\0',
  '\u00AD',
  '\u001b[',
  '9',
  '4142 ',
  '41424344 ',
  '\\u{61}',
  '&#65',
];

test.each(HOSTILE)('reads a megabyte of %j in time that grows with its length', (part) => {
  for (const beginning of ['', 'apiv1_abc']) {
    const text = beginning + part.repeat(Math.ceil(1_000_000 / part.length));
    const began = process.threadCpuUsage();
    findCredentials(text);
    redact(text);
    // By the square of its length it would be minutes.
    expect(process.threadCpuUsage(began).user / 1_000_000).toBeLessThan(5);
  }
});

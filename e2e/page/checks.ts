// These functions are sent to the browser as their texts, so that they use nothing from outside.

/** How a page is built, for who hears it and who uses keys. Returns what is wrong, one sentence for each. */
export function faultsOfStructure(): readonly string[] {
  // The types of this repository know no browser.
  // biome-ignore lint/suspicious/noExplicitAny: a page's globals
  const { document } = globalThis as any;
  const faults: string[] = [];
  // biome-ignore lint/suspicious/noExplicitAny: an element
  type Element = any;
  const all = (selector: string): Element[] => [...document.querySelectorAll(selector)];
  const expect = (isRight: boolean, fault: string) => {
    if (!isRight) faults.push(fault);
  };
  const named = (element: Element) =>
    `<${element.tagName.toLowerCase()}> "${(element.textContent ?? '').trim().slice(0, 30)}"`;

  expect(document.documentElement.lang === 'en', 'the page has no language');
  expect(document.title.length > 0, 'the page has no title');
  expect(all('h1').length === 1, `${all('h1').length} headings of the first rank, expected one`);
  expect(all('main').length === 1, 'the page has no main part');
  let rank = 0;
  for (const heading of all('h1, h2, h3, h4, h5, h6')) {
    const next = Number(heading.tagName.slice(1));
    expect(next <= rank + 1, `${named(heading)} skips a rank`);
    rank = next;
  }
  for (const table of all('table')) {
    expect(Boolean(table.caption?.textContent), `${named(table)} has no caption`);
    const isHeaded = [...table.tHead.rows[0].cells].every((cell: Element) => cell.scope === 'col');
    expect(isHeaded, `${named(table)} has a column without a header`);
    const rows = [...table.tBodies[0].rows];
    const isRowHeaded = rows.every((row: Element) => row.querySelector('th[scope=row]'));
    expect(isRowHeaded, `${named(table)} has a row without a header`);
    expect(rows.length > 0, `${named(table)} has no row`);
  }
  for (const svg of all('svg')) {
    const isHidden = svg.getAttribute('aria-hidden') === 'true';
    const isImage = svg.getAttribute('role') === 'img' && svg.getAttribute('aria-label');
    expect(isHidden || Boolean(isImage), `${named(svg)} is neither hidden nor named`);
  }
  const ids = all('[id]').map(({ id }) => id);
  expect(new Set(ids).size === ids.length, 'an id is there twice');
  for (const element of all('[aria-labelledby]')) {
    const { length } = element
      .getAttribute('aria-labelledby')
      .split(' ')
      .filter((id: string) => !ids.includes(id));
    expect(length === 0, `${named(element)} is labelled by nothing`);
  }
  for (const scroll of all('.scroll')) {
    const isReached = scroll.tabIndex === 0 && Boolean(scroll.getAttribute('aria-label'));
    expect(isReached, `${named(scroll)} scrolls and cannot be reached by keys`);
  }
  return [...new Set(faults)];
}

/** How a page looks: its room and its contrasts. Returns what is wrong, one sentence for each. */
export function faultsOfLooks(): readonly string[] {
  // biome-ignore lint/suspicious/noExplicitAny: a page's globals
  const { document, getComputedStyle, innerWidth } = globalThis as any;
  const faults: string[] = [];
  // biome-ignore lint/suspicious/noExplicitAny: an element
  type Element = any;
  const all = (selector: string): Element[] => [...document.querySelectorAll(selector)];
  const ids = all('[id]').map(({ id }) => id);
  const expect = (isRight: boolean, fault: string) => {
    if (!isRight) faults.push(fault);
  };
  const named = (element: Element) =>
    `<${element.tagName.toLowerCase()}> "${(element.textContent ?? '').trim().slice(0, 30)}"`;

  const { scrollWidth } = document.documentElement;
  expect(scrollWidth <= innerWidth, `the page has ${scrollWidth} px, and the window ${innerWidth}`);

  const read = (colour: string): number[] | undefined => {
    const parts = colour.match(/[\d.]+/g)?.map(Number) ?? [];
    return colour.startsWith('rgb') && (parts[3] ?? 1) > 0 ? parts : undefined;
  };
  const luminance = (colour: number[]) => {
    const [red = 0, green = 0, blue = 0] = colour.slice(0, 3).map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element: Element): number[] => {
    for (let each = element; each; each = each.parentElement) {
      const found = read(getComputedStyle(each).backgroundColor);
      if (found) return found;
    }
    return [255, 255, 255];
  };
  // WCAG 2.2, 1.4.3 and 1.4.11
  const contrast = (colour: number[], ground: number[]) => {
    const [light = 0, dark = 0] = [luminance(colour), luminance(ground)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const isText = (element: Element) =>
    [...element.childNodes].some((node: Element) => node.nodeType === 3 && node.data.trim());
  for (const element of all('body *')) {
    const tag = element.tagName.toLowerCase();
    if (!isText(element) || ['style', 'title'].includes(tag)) continue;
    const style = getComputedStyle(element);
    const colour = read(['text', 'tspan'].includes(tag) ? style.fill : style.color);
    const ratio = colour ? contrast(colour, behind(element)) : 0;
    expect(ratio >= 4.5, `${named(element)} has a contrast of ${ratio.toFixed(1)}`);
  }
  const drawn = all('.bar rect, rect.bar, .mark path, path.mark');
  expect(drawn.length > 20, `${drawn.length} bars and marks, expected more`);
  for (const element of drawn) {
    const { fill, stroke } = getComputedStyle(element);
    const [, id] = /url\("?#([^")]+)/.exec(fill) ?? [];
    expect(
      id === undefined || ids.includes(id),
      `a bar is filled with ${fill}, which is not there`,
    );
    const ratios = [read(fill), read(stroke)].map((each) =>
      each ? contrast(each, behind(element)) : 0,
    );
    const most = Math.max(...ratios);
    expect(
      most >= 3,
      `${element.parentElement.getAttribute('class')} has a contrast of ${most.toFixed(1)}`,
    );
  }
  return [...new Set(faults)];
}

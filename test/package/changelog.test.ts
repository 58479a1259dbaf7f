import { expect, test } from 'vitest';
import { releasedChangelog, versionMistake } from '../../package/changelog.ts';

const CHANGELOG = `# Changelog

## [Unreleased]

### Fixed

- One.

## [0.1.0] - 2026-01-02

- Zero.
`;

test('what is unreleased gets a version and a day, and room is left for what comes next', () => {
  expect(releasedChangelog(CHANGELOG, '0.2.0', '2026-03-04')).toBe(`# Changelog

## [Unreleased]

## [0.2.0] - 2026-03-04

### Fixed

- One.

## [0.1.0] - 2026-01-02

- Zero.
`);
});

test('a release without news, or one that is there already, is refused', () => {
  const released = releasedChangelog(CHANGELOG, '0.2.0', '2026-03-04');
  expect(() => releasedChangelog(released, '0.3.0', '2026-03-05')).toThrow(
    'CHANGELOG.md: found nothing under "## [Unreleased]", expected what is new',
  );
  expect(() => releasedChangelog(CHANGELOG, '0.1.0', '2026-03-05')).toThrow(
    'found "## [0.1.0]" already',
  );
  expect(() => releasedChangelog('# Changelog\n', '0.2.0', '2026-03-05')).toThrow(
    'expected one heading "## [Unreleased]"',
  );
});

test.each([
  ['0.2.0', undefined],
  ['0.10.0', undefined],
  ['1.0.0', undefined],
  ['0.1.9', undefined],
  ['0.1.2', 'found 0.1.2, expected a version after 0.1.2'],
  ['0.1.1', 'found 0.1.1, expected a version after 0.1.2'],
  ['0.0.9', 'found 0.0.9, expected a version after 0.1.2'],
  ['v1.0.0', 'found v1.0.0, expected one such as 1.2.3'],
  [undefined, 'found no version, expected one such as 1.2.3'],
])('version %s after 0.1.2', (version, mistake) => {
  expect(versionMistake(version, '0.1.2')).toBe(mistake);
});

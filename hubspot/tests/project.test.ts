import { getProjectMetadata, parseProjectConfig } from '@hubspot/project-parsing-lib/projects';
import { translate } from '@hubspot/project-parsing-lib/translate';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const project = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

it("is read by HubSpot's own parser, every file where it belongs", async () => {
  const { srcDir, platformVersion } = parseProjectConfig(project);
  const source = path.join(project, srcDir);
  const { hsMetaFiles, components } = await getProjectMetadata(source);
  expect(components['card']).toMatchObject({ count: 3 });
  expect(components['workflow-action']).toMatchObject({ count: 2 });
  const context = { projectSourceDir: source, platformVersion, accountId: 0 };
  // The schemas of the parts come from HubSpot and need an account; reading and linking do not.
  const { intermediateRepresentation, skippedHsMetaFiles } = await translate(context, { skipValidation: true });
  const nodes = Object.values(intermediateRepresentation.intermediateNodesIndexedByUid);
  expect(skippedHsMetaFiles).toEqual([]);
  expect(nodes.filter((node) => node.metaFilePath)).toHaveLength(hsMetaFiles.length);
  expect(new Set(nodes.map((node) => node.uid)).size).toBe(nodes.length);
});

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * The schema of the settings in the reader's language.
 *
 * The server translates schemas by the catalogues of language packs alone, of which ours is none.
 */
export function inWords(
  schema: ISettingRegistry.ISchema,
  trans: TranslationBundle
): ISettingRegistry.ISchema {
  const translated = <T extends { title?: string; description?: string }>(
    context: string,
    part: T
  ): T => ({
    ...part,
    ...(part.title && { title: trans._p(context, part.title) }),
    ...(part.description && {
      description: trans._p(context, part.description)
    })
  });
  return {
    ...translated('schema', schema),
    properties: Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, property]) => {
        const { items } = property as { items?: { title?: string } };
        return [
          name,
          {
            ...translated('settings', property),
            ...(items && { items: translated('settings', items) })
          }
        ];
      })
    )
  };
}

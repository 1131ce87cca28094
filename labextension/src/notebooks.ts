import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { KernelSpec } from '@jupyterlab/services';

/**
 * Make a notebook with one cell of Python and open it.
 *
 * `folder` is where it goes, as the file browser names folders. Rejects where the server refuses.
 */
export async function openNotebookWith(
  code: string,
  folder: string,
  { commands, serviceManager }: JupyterFrontEnd
): Promise<void> {
  const { contents, kernelspecs } = serviceManager;
  await kernelspecs.ready;
  const { path } = await contents.newUntitled({
    path: folder,
    type: 'notebook'
  });
  await contents.save(path, {
    type: 'notebook',
    format: 'json',
    content: notebook(code, pythonOf(kernelspecs.specs))
  });
  await commands.execute('docmanager:open', { path });
}

/** The Python that new notebooks get: the default kernel if it is one, else the first there is. */
function pythonOf(
  specs: KernelSpec.ISpecModels | null
): KernelSpec.ISpecModel | undefined {
  const all = Object.values(specs?.kernelspecs ?? {});
  const pythons = all.filter(spec => spec?.language === 'python');
  return (
    pythons.find(spec => spec?.name === specs?.default) ??
    pythons.find(spec => spec !== undefined)
  );
}

function notebook(
  code: string,
  kernel: KernelSpec.ISpecModel | undefined
): object {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: kernel
      ? {
          kernelspec: {
            name: kernel.name,
            display_name: kernel.display_name,
            language: kernel.language
          },
          language_info: { name: kernel.language }
        }
      : {},
    cells: [
      {
        id: 'connection',
        cell_type: 'code',
        execution_count: null,
        metadata: {},
        outputs: [],
        source: code
      }
    ]
  };
}

import type { IJupyterLabPageFixture } from '@jupyterlab/galata';

/** Python as a notebook of the student's has it, without what a notebook shows. */
export class Kernel {
  static async start(page: IJupyterLabPageFixture): Promise<Kernel> {
    const id = await page.evaluate(async () => {
      const { kernels } = window.jupyterapp.serviceManager;
      const kernel = await kernels.startNew({ name: 'python3' });
      kernel.dispose();
      return kernel.id;
    });
    return new Kernel(page, id);
  }

  private constructor(
    private readonly page: IJupyterLabPageFixture,
    readonly id: string
  ) {}

  /** Run lines to their end. Returns what they printed, or the error that ended them. */
  async run(code: string): Promise<string> {
    return this.page.evaluate(
      async ([id, code]) => {
        const { kernels } = window.jupyterapp.serviceManager;
        const kernel = kernels.connectTo({ model: { id, name: 'python3' } });
        const told: string[] = [];
        const running = kernel.requestExecute({ code });
        running.onIOPub = ({ content }) => {
          if ('text' in content) {
            told.push(String(content.text));
          } else if ('evalue' in content) {
            told.push(String(content.evalue));
          }
        };
        await running.done;
        kernel.dispose();
        return told.join('').trim();
      },
      [this.id, code] as const
    );
  }
}

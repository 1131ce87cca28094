import type { IVCEBranding, IVCEModel } from '../tokens';

/**
 * Draw what is made from the services, now if they are known and whenever one comes, goes or
 * changes what it is called, or the environment does. Their states do not matter here.
 */
export function followServices(
  model: IVCEModel,
  branding: IVCEBranding | null,
  draw: () => void
): void {
  branding?.changed.connect(draw);
  model.changed.connect((_, change) => {
    if (change.services) {
      draw();
    }
  });
  if (model.loaded) {
    draw();
  }
}

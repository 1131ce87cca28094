import type { IVCEModel } from '../tokens';

/**
 * Draw what is made from the services, now if they are known and whenever one comes, goes or
 * changes what it is called. Their states do not matter here.
 */
export function followServices(model: IVCEModel, draw: () => void): void {
  model.changed.connect((_, change) => {
    if (change.services) {
      draw();
    }
  });
  if (model.loaded) {
    draw();
  }
}
